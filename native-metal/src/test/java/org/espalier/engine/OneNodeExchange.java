package org.espalier.engine;

import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.espalier.program.ExchangeBegin;

/** Stands for the other nodes: what {@code others} does with the values is the result, at once. */
record OneNodeExchange(Consumer<ByteBuffer> others, Outcome outcome) implements Exchange {

    static Exchange of(Consumer<ByteBuffer> others) {
        return new OneNodeExchange(others, Outcome.DONE);
    }

    @Override
    public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {
        others.accept(values);
    }

    @Override
    public Outcome await(int id) {
        return outcome;
    }
}
