package org.espalier.engine.library;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.espalier.engine.Cancel;
import org.espalier.engine.Exchange;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.Program;

/** The exchanges of one step: what this node gave, and what it got. */
final class RecordedExchange implements Exchange {

    private static final int BEGIN = 0;
    private static final int AWAIT = 1;

    private record Begun(int op, ByteBuffer values) {}

    private final Exchange exchange;
    private final Program program;
    private final Map<Integer, Begun> begun = new HashMap<>();
    private final Words moments = new Words();
    private int count;

    RecordedExchange(Exchange exchange, Program program) {
        this.exchange = exchange;
        this.program = program;
    }

    @Override
    public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {
        Begun one = new Begun(index(op), values.duplicate());
        begun.put(op.id(), one);
        add(one, BEGIN, Outcome.DONE);
        exchange.begin(op, values, cancel);
    }

    @Override
    public Outcome await(int id) {
        Outcome outcome = exchange.await(id);
        add(begun.remove(id), AWAIT, outcome);
        return outcome;
    }

    private void add(Begun one, int moment, Outcome outcome) {
        moments.add(one.op()).add(moment).add(outcome.ordinal()).addBytes(one.values());
        count++;
    }

    /** The same record, since another exchange may equal it. */
    private int index(ExchangeBegin op) {
        for (int i = 0; i < program.ops().size(); i++) {
            if (program.ops().get(i) == op) {
                return i;
            }
        }
        throw new IllegalArgumentException("not an op of the program: " + op);
    }

    /** A list of them. */
    Words words() {
        return new Words().add(count).append(moments);
    }
}
