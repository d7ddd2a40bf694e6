package org.espalier.engine;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.espalier.weights.Affine;
import org.espalier.weights.Block;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightFormat;

/** Weights of random bytes in every format, whose values are finite and of ordinary size. */
final class RandomWeight {

    private RandomWeight() {}

    static Stream<WeightFormat> formats() {
        Stream<WeightFormat> apart = Stream.of(
                new Affine(4, 32, Element.BF16),
                new Affine(4, 64, Element.F16),
                new Affine(8, 64, Element.F32),
                new Affine(3, 32, Element.BF16),
                new Affine(8, 1, Element.BF16),
                Scaled.MXFP4,
                Scaled.MXFP8,
                Scaled.NVFP4,
                new Scaled(Element.INT4, 32, Element.BF16),
                new Scaled(Element.INT4, 64, Element.BF16),
                new Scaled(Element.INT4, 128, Element.BF16));
        return Stream.concat(ggufFormats(), apart);
    }

    /** Those that GGUF files have. */
    static Stream<WeightFormat> ggufFormats() {
        return Stream.concat(Stream.of(Plain.F32, Plain.F16, Plain.BF16), Arrays.stream(Block.values()));
    }

    static Weight of(WeightFormat format, int rows, int columns, WeightFile file) {
        if (format.scaleRowBytes(columns) == 0) {
            byte[] bytes = randomBytes(format, rows, columns);
            return Weight.matrix(rows, columns, format, Piece.of(file.append(bytes, bytes.length / rows)));
        }
        byte[] values = new byte[(int) (rows * format.rowBytes(columns))];
        new Random(54).nextBytes(values);
        for (int i = 0; i < values.length; i++) {
            values[i] &= (byte) (format == Scaled.MXFP8 ? 0xbf : 0xff); // below 2
        }
        Region scales = file.append(scales(format, rows, columns), format.scaleRowBytes(columns));
        Region biases = format.biasRowBytes(columns) == 0
                ? null
                : file.append(scales(format, rows, columns), format.biasRowBytes(columns));
        Piece piece = new Piece(file.append(values, format.rowBytes(columns)), scales, biases);
        return Weight.matrix(rows, columns, format, piece);
    }

    /** Numbers between 1/8 and 2, of the format's type. */
    private static byte[] scales(WeightFormat format, int rows, int columns) {
        int count = rows * ((columns - 1) / format.granularity() + 1); // the last group of a row may be short
        if (format instanceof Affine affine) {
            if (affine.scales() == Element.F32) {
                return WeightFile.bytes(WeightFile.random(55, count, 1));
            }
            return randomBytes(new Plain(affine.scales()), 1, count);
        }
        if (format instanceof Scaled scaled && scaled.scales() == Element.BF16) {
            return randomBytes(Plain.BF16, 1, count);
        }
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            // of E8M0 the exponents 124 to 127, of E4M3 1 to 1.875
            bytes[i] = (byte) (format == Scaled.NVFP4 ? 0x38 + i % 8 : 124 + i % 4);
        }
        return bytes;
    }

    /** Random bytes whose floating point numbers are finite and of ordinary size. */
    private static byte[] randomBytes(WeightFormat format, int rows, int columns) {
        if (format == Plain.F32) {
            return WeightFile.bytes(WeightFile.random(52, rows, columns));
        }
        byte[] bytes = new byte[(int) (rows * format.rowBytes(columns))];
        new Random(53).nextBytes(bytes);
        int stride = format instanceof Block block ? block.blockBytes() : 2;
        for (int at = 0; at < bytes.length; at += stride) {
            for (int half : halves(format)) {
                bytes[at + half + 1] = (byte) (0x38 | bytes[at + half + 1] & 0x87);
            }
            if (format == Block.MXFP4) {
                bytes[at] = (byte) (0x7c | bytes[at] & 3); // 1/8 to 1
            }
        }
        return bytes;
    }

    /** Where a block has its numbers in half precision. */
    private static int[] halves(WeightFormat format) {
        if (!(format instanceof Block block)) {
            return new int[] {0};
        }
        return switch (block) {
            case MXFP4 -> new int[0];
            case Q4_0, Q5_0, Q8_0, IQ4_NL, IQ4_XS -> new int[] {0};
            case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
            case Q2_K -> new int[] {80, 82};
            case Q3_K -> new int[] {108};
            case Q6_K -> new int[] {208};
        };
    }
}
