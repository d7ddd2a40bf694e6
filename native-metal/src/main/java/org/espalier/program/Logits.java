package org.espalier.program;

import java.util.List;

/**
 * The step's logits for the wanted rows: in Wᵀ. Only as the last op.
 *
 * @param weight [V, D]
 */
public record Logits(View in, String weight) implements Op {

    @Override
    public List<View> reads() {
        return List.of(in);
    }

    @Override
    public List<View> writes() {
        return List.of();
    }

    @Override
    public List<String> weights() {
        return List.of(weight);
    }

    @Override
    public void check(OpCheck check) {
        check.columns(weight, in.width());
        check.count(weight, 1);
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.logits(this);
    }
}
