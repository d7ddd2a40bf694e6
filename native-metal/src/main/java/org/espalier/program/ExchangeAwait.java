package org.espalier.program;

import java.util.List;

/** Waits for the exchange of that id; {@link ExchangeBegin#view} then has the result. */
public record ExchangeAwait(int id) implements Op {

    @Override
    public List<View> reads() {
        return List.of();
    }

    /** The view of its beginning, which {@link ProgramCheck} knows. */
    @Override
    public List<View> writes() {
        return List.of();
    }

    @Override
    public List<String> weights() {
        return List.of();
    }

    @Override
    public void check(OpCheck check) {}

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.exchangeAwait(this);
    }
}
