package org.espalier.weights;

import java.nio.file.Path;

/**
 * Rows in a file. Tensors may start at odd addresses: no aligned loads.
 *
 * @param offset of the first row, from the start of the file
 * @param rowBytes from the start of one row to the start of the next
 * @param sharedBy rows of the weight that have one row here in common; 1 but for scales of blocks of rows
 * @param skipped rows of the weight's first block that lie before it; 0 to sharedBy - 1
 */
public record Region(Path file, long offset, long rowBytes, int sharedBy, int skipped) {

    public Region {
        if (sharedBy < 1 || skipped < 0 || skipped >= sharedBy) {
            throw new IllegalArgumentException(
                    "not a valid region: a row shared by " + sharedBy + ", the first " + skipped + " of them skipped");
        }
    }

    /** A row for each row of the weight. */
    public Region(Path file, long offset, long rowBytes) {
        this(file, offset, rowBytes, 1, 0);
    }

    /** The same rows without their first {@code bytes}. */
    Region skipBytes(long bytes) {
        return new Region(file, offset + bytes, rowBytes, sharedBy, skipped);
    }

    /** From row {@code rows} on. */
    Region skipRows(long rows) {
        long before = skipped + rows;
        return new Region(file, offset + before / sharedBy * rowBytes, rowBytes, sharedBy, (int) (before % sharedBy));
    }

    /** Which row of the region belongs to row {@code row} of the weight. */
    public long index(long row) {
        return (skipped + row) / sharedBy;
    }
}
