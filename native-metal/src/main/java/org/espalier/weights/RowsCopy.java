package org.espalier.weights;

/** Rows of one region in memory, one after the other without what lies between them in the file; of rows in blocks, those between the blocks too. */
final class RowsCopy {

    private final Region region;
    private final long first;
    private final int rowBytes;
    private final byte[] bytes;

    /** Puts what is kept of a row of the region into {@code into}. */
    interface Source {
        void read(long row, byte[] into);
    }

    /**
     * @param name of the weight, for errors
     * @param rowBytes of a row that are kept; 0 where the format has no such region
     */
    RowsCopy(String name, Weight weight, Region region, long rowBytes, Source source) {
        this.region = region;
        this.rowBytes = (int) rowBytes;
        this.first = rowBytes == 0 ? 0 : region.index(weight.storedRow(0));
        long rows = rowBytes == 0 ? 0 : region.index(weight.storedRow(weight.storedRows() - 1)) - first + 1;
        if (rows * rowBytes > Integer.MAX_VALUE - 8) {
            throw new WeightException("a slice by columns of weight " + name + " has " + rows * rowBytes
                    + " bytes a matrix, more than this engine can copy: place it in more slices");
        }
        bytes = new byte[(int) (rows * rowBytes)];
        byte[] row = new byte[this.rowBytes];
        for (int index = 0; index < rows; index++) {
            source.read(first + index, row);
            System.arraycopy(row, 0, bytes, index * this.rowBytes, this.rowBytes);
        }
    }

    /** What was kept of stored row {@code row} of the file. */
    void read(long row, byte[] into) {
        if (rowBytes > 0) {
            System.arraycopy(bytes, (int) (region.index(row) - first) * rowBytes, into, 0, rowBytes);
        }
    }
}
