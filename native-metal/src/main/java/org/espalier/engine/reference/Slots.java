package org.espalier.engine.reference;

import java.util.List;
import org.espalier.program.Program;
import org.espalier.program.View;

/** The values of a step while it runs: slot by slot, [T, width], and [R, V] of the logits. */
final class Slots {

    private final float[][] values;
    private final List<Integer> widths;

    private final View logits;
    private final int rows;
    private final int wanted;

    /**
     * @param rows T
     * @param wanted R, the rows with logits
     */
    Slots(Program program, int rows, int wanted) {
        this.widths = program.slots();
        this.logits = program.logits();
        this.rows = rows;
        this.wanted = wanted;
        this.values = new float[widths.size()][];
        for (int slot = 0; slot < values.length; slot++) {
            values[slot] = Vectors.zeros(rows(slot), widths.get(slot));
        }
    }

    /** T, or R where the view is of logits. */
    int rows(View view) {
        return rows(view.slot());
    }

    private int rows(int slot) {
        return isLogits(slot) ? wanted : rows;
    }

    boolean isLogits(View view) {
        return isLogits(view.slot());
    }

    private boolean isLogits(int slot) {
        return logits != null && slot == logits.slot();
    }

    float[] array(View view) {
        return values[view.slot()];
    }

    /** Index of the view's first column in row {@code row} of {@link #array}. */
    int offset(View view, int row) {
        return row * widths.get(view.slot()) + view.offset();
    }
}
