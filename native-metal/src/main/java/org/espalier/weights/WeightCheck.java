package org.espalier.weights;

import java.nio.file.Path;
import java.util.function.ToLongFunction;

/** Checks that a weight's bytes are where it says they are, so that engines need not. */
public final class WeightCheck {

    /** Beyond any file, and far enough from the greatest long that sums of a few such offsets do not overflow. */
    private static final long FARTHEST = 1L << 60;

    private final String name;
    private final Weight weight;
    private final ToLongFunction<Path> fileSize;

    private WeightCheck(String name, Weight weight, ToLongFunction<Path> fileSize) {
        this.name = name;
        this.weight = weight;
        this.fileSize = fileSize;
    }

    /**
     * @param name for errors
     * @param fileSize of a file in bytes
     * @throws WeightException if rows do not fit the format, or a piece is outside its file
     */
    public static void check(String name, Weight weight, ToLongFunction<Path> fileSize) {
        new WeightCheck(name, weight, fileSize).run();
    }

    private void run() {
        WeightFormat format = weight.format();
        int columns = weight.storedColumns();
        if (!format.fits(columns)) {
            throw new WeightException("weight " + name + " has rows of " + columns + " values, " + format.title()
                    + " needs a multiple of " + format.granularity());
        }
        for (int index = 0; index < weight.count(); index++) {
            Piece piece = weight.pieces().get(index);
            region(piece.values(), format.rowBytes(columns));
            apart("scales", piece.scales(), format.scaleRowBytes(columns));
            apart("biases", piece.biases(), format.biasRowBytes(columns));
        }
    }

    private void apart(String what, Region region, long rowBytes) {
        if (rowBytes > 0 && region == null) {
            throw new WeightException("weight " + name + " is quantized but has no " + what);
        }
        if (rowBytes > 0) {
            region(region, rowBytes);
        }
    }

    private void region(Region region, long rowBytes) {
        long size = fileSize.applyAsLong(region.file());
        long lastRow = region.index(weight.storedRow(weight.storedRows() - 1));
        if (lastRow > 0 && region.rowBytes() < rowBytes) {
            throw new WeightException("weight " + name + " has rows of " + rowBytes + " bytes, " + region.rowBytes()
                    + " apart in " + region.file());
        }
        if (region.offset() > FARTHEST || lastRow > 0 && region.rowBytes() > FARTHEST / lastRow) {
            throw new WeightException("weight " + name + " reaches beyond any file: " + (lastRow + 1) + " rows, "
                    + region.rowBytes() + " bytes apart, from byte " + region.offset() + " of " + region.file());
        }
        long end = region.offset() + lastRow * region.rowBytes() + rowBytes;
        if (region.offset() < 0 || end > size) {
            throw new WeightException("weight " + name + " lies at bytes " + region.offset() + " to " + end + " of "
                    + region.file() + ", which has " + size + ": the file is cut off");
        }
    }
}
