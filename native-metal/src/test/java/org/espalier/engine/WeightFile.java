package org.espalier.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightReader;

/** A file to which a test appends weights. Every one begins at an odd offset, as tensors of a safetensors file may. */
final class WeightFile {

    private final Path path;

    WeightFile(Path directory) {
        path = directory.resolve("weights.bin");
    }

    Path path() {
        return path;
    }

    /** Appends {@code bytes} as rows of {@code rowBytes}. */
    Region append(byte[] bytes, long rowBytes) {
        try {
            long size = Files.exists(path) ? Files.size(path) : 0;
            long offset = size | 1;
            ByteBuffer padded = ByteBuffer.allocate((int) (offset - size) + bytes.length);
            padded.position((int) (offset - size)).put(bytes);
            Files.write(path, padded.array(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            return new Region(path, offset, rowBytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Appends matrices of one shape, [count][rows][columns], as F32. */
    Weight floats(float[][]... matrices) {
        int columns = matrices[0][0].length;
        List<Piece> pieces = new ArrayList<>();
        for (float[][] matrix : matrices) {
            pieces.add(Piece.of(append(bytes(matrix), (long) columns * Float.BYTES)));
        }
        return Weight.matrices(matrices[0].length, columns, Plain.F32, pieces);
    }

    /** The first matrix of a weight as the language's own reader has it. */
    static float[][] decoded(Weight weight) {
        try (WeightReader reader = WeightReader.streaming()) {
            return reader.open("w", weight).decode(0);
        }
    }

    static byte[] bytes(float[][] matrix) {
        ByteBuffer bytes = ByteBuffer.allocate(matrix.length * matrix[0].length * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        for (float[] row : matrix) {
            for (float value : row) {
                bytes.putFloat(value);
            }
        }
        return bytes.array();
    }

    /** Values between -1 and 1, the same for the same seed. */
    static float[][] random(long seed, int rows, int columns) {
        Random random = new Random(seed);
        float[][] matrix = new float[rows][columns];
        for (float[] row : matrix) {
            for (int i = 0; i < columns; i++) {
                row[i] = 2 * random.nextFloat() - 1;
            }
        }
        return matrix;
    }
}
