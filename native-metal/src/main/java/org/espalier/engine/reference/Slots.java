package org.espalier.engine.reference;

import java.util.List;
import org.espalier.program.View;

/** The values of a step while it runs: slot by slot, [T, width]. */
final class Slots {

    private final float[][] values;
    private final List<Integer> widths;

    Slots(List<Integer> widths, int rows) {
        this.widths = widths;
        this.values = new float[widths.size()][];
        for (int slot = 0; slot < values.length; slot++) {
            values[slot] = Vectors.zeros(rows, widths.get(slot));
        }
    }

    float[] array(View view) {
        return values[view.slot()];
    }

    /** Index of the view's first column in row {@code row} of {@link #array}. */
    int offset(View view, int row) {
        return row * widths.get(view.slot()) + view.offset();
    }
}
