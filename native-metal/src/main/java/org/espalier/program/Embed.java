package org.espalier.program;

import java.util.List;
import org.espalier.weights.Weight;

/**
 * out[T, D] = rows of {@code weight} by token id. Only as the first op.
 *
 * @param weight [V, D]
 */
public record Embed(String weight, View out) implements Op {

    @Override
    public List<View> reads() {
        return List.of();
    }

    @Override
    public List<View> writes() {
        return List.of(out);
    }

    @Override
    public List<String> weights() {
        return List.of(weight);
    }

    @Override
    public void check(OpCheck check) {
        check.columns(weight, out.width());
        check.count(weight, 1);
        check.storedAsRows(weight);
    }

    /** A row of the table for each row of the step. */
    @Override
    public Cost cost(Program program, StepShape step) {
        Weight table = program.weight(weight);
        return new Cost(step.rows() * (table.bytes() / table.rows()), 0, 0);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.embed(this);
    }
}
