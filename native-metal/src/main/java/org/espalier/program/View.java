package org.espalier.program;

/**
 * Columns of a slot: a slot holds [T, slot width] floats during a step, a view is [T, width] of it without a copy.
 *
 * @param slot index into {@link Program#slots()}
 * @param offset first column
 */
public record View(int slot, int offset, int width) {

    /** Columns {@code from} to {@code from + columns} of this view. */
    public View columns(int from, int columns) {
        if (from < 0 || columns <= 0 || from + columns > width) {
            throw new IllegalArgumentException(
                    "columns " + from + " to " + (from + columns) + " of a view " + width + " wide");
        }
        return new View(slot, offset + from, columns);
    }

    /** Whether the two share a column. */
    public boolean overlaps(View other) {
        return slot == other.slot && offset < other.offset + other.width && other.offset < offset + width;
    }

    @Override
    public String toString() {
        return "columns " + offset + " to " + ((long) offset + width) + " of slot " + slot;
    }
}
