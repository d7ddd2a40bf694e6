package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.espalier.program.Embed;
import org.espalier.program.Linear;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.View;
import org.espalier.weights.Affine;
import org.espalier.weights.Block;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each weight format against bytes packed by hand, and against values that other software read from them. */
abstract class WeightFormatSuite extends Suite {

    WeightFormatSuite(EngineUnderTest tested) {
        super(tested);
    }

    /** The values of a weight: its rows embedded as tokens. */
    private float[][] decode(Weight weight) {
        ProgramBuilder builder = new ProgramBuilder("main", weight.columns());
        View out = builder.slot(weight.columns());
        builder.weight("w", weight);
        builder.op(new Embed("w", out));
        try (LoadedProgram program = tested.load(builder.build(out, out))) {
            program.open(1, weight.rows(), RouterEdits.NONE);
            int[] tokens = IntStream.range(0, weight.rows()).toArray();
            Step step = new Step(List.of(Step.Entry.ofTokens(1, 0, tokens, Step.Logits.NONE)), null, Set.of());
            StepResult result = program.run(step, Exchange.ALONE, new Cancel());
            return new Wire(program.activationBytes()).unpack(result.activations(), weight.rows(), weight.columns());
        }
    }

    private void holds(Weight weight, float[]... expected) {
        tested.differences().compare(Embed.class, weight.format(), decode(weight), Expected.of(expected));
    }

    private Weight weight(int rows, int columns, WeightFormat format, byte[] bytes) {
        long rowBytes = bytes.length / rows;
        return Weight.matrix(rows, columns, format, Piece.of(new WeightFile(directory).append(bytes, rowBytes)));
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Test
    void plainValues() {
        float[] expected = {1, -2.5f, 0, 65504};
        byte[] f32 = buffer(16)
                .putFloat(1)
                .putFloat(-2.5f)
                .putFloat(0)
                .putFloat(65504)
                .array();
        holds(weight(1, 4, Plain.F32, f32), expected);
        byte[] f16 = shorts(0x3c00, 0xc100, 0x0000, 0x7bff);
        holds(weight(1, 4, Plain.F16, f16), expected);
        byte[] bf16 = shorts(0x3f80, 0xc020, 0x0000, 0x4780);
        holds(weight(1, 4, Plain.BF16, bf16), new float[] {1, -2.5f, 0, 65536});
    }

    @Test
    void halfPrecisionAtItsEnds() {
        // least and greatest subnormal, least normal, minus zero, infinity
        byte[] bytes = shorts(0x0001, 0x83ff, 0x0400, 0x8000, 0x7c00);
        float[] expected = {0x1p-24f, -1023 * 0x1p-24f, 0x1p-14f, -0f, Float.POSITIVE_INFINITY};
        Weight weight = weight(1, 5, Plain.F16, bytes);
        holds(weight, expected);
        assertThat(1 / decode(weight)[0][3]).isEqualTo(Float.NEGATIVE_INFINITY);
    }

    private static byte[] shorts(int... values) {
        ByteBuffer bytes = buffer(2 * values.length);
        for (int value : values) {
            bytes.putShort((short) value);
        }
        return bytes.array();
    }

    @Test
    void q4BlocksHoldTheirFirstHalfInLowNibbles() {
        // two rows of one block: value j is j % 16 in the first half, 15 - j % 16 in the second
        ByteBuffer q40 = buffer(2 * 18);
        ByteBuffer q41 = buffer(2 * 20);
        float[][] expected0 = new float[2][32];
        float[][] expected1 = new float[2][32];
        for (int row = 0; row < 2; row++) {
            short scale = (short) (row == 0 ? 0x3c00 : 0xb800); // 1 and -0.5
            float d = row == 0 ? 1 : -0.5f;
            q40.putShort(scale);
            q41.putShort(scale).putShort((short) 0x4200); // minimum 3
            for (int j = 0; j < 16; j++) {
                q40.put((byte) (j | 15 - j << 4));
                q41.put((byte) (j | 15 - j << 4));
                expected0[row][j] = d * (j - 8);
                expected0[row][16 + j] = d * (15 - j - 8);
                expected1[row][j] = d * j + 3;
                expected1[row][16 + j] = d * (15 - j) + 3;
            }
        }
        holds(weight(2, 32, Block.Q4_0, q40.array()), expected0);
        holds(weight(2, 32, Block.Q4_1, q41.array()), expected1);
    }

    @Test
    void q8BlocksHoldSignedBytes() {
        ByteBuffer bytes = buffer(2 * 34);
        float[] expected = new float[64];
        for (int block = 0; block < 2; block++) {
            bytes.putShort((short) (block == 0 ? 0x3800 : 0x4000)); // 0.5 and 2
            for (int j = 0; j < 32; j++) {
                int quantum = j % 2 == 0 ? -128 + j : 127 - j;
                bytes.put((byte) quantum);
                expected[32 * block + j] = (block == 0 ? 0.5f : 2) * quantum;
            }
        }
        holds(weight(1, 64, Block.Q8_0, bytes.array()), expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6, 8})
    void affineValuesHaveScaleAndBiasByGroup(int bits) {
        int columns = 64;
        int group = 32;
        ByteBuffer values = buffer(2 * columns * bits / 8);
        float[][] expected = new float[2][columns];
        float[] scales = {1, 0.5f, -2, 4};
        float[] biases = {0, -1, 8, 0.25f};
        Random random = new Random(50);
        for (int row = 0; row < 2; row++) {
            int[] quanta = random.ints(columns, 0, 1 << bits).toArray();
            BigInteger packed = BigInteger.ZERO; // lowest bits first, across bytes
            for (int i = 0; i < columns; i++) {
                packed = packed.or(BigInteger.valueOf(quanta[i]).shiftLeft(i * bits));
            }
            for (int i = 0; i < columns * bits / 8; i++) {
                values.put(packed.shiftRight(8 * i).byteValue());
            }
            for (int i = 0; i < columns; i++) {
                int g = 2 * row + i / group;
                expected[row][i] = scales[g] * quanta[i] + biases[g];
            }
        }
        byte[] scaleBytes = shorts(0x3f80, 0x3f00, 0xc000, 0x4080);
        byte[] biasBytes = shorts(0x0000, 0xbf80, 0x4100, 0x3e80);
        WeightFile file = new WeightFile(directory);
        Piece piece = new Piece(
                file.append(values.array(), (long) columns * bits / 8),
                file.append(scaleBytes, 4),
                file.append(biasBytes, 4));
        Weight weight = Weight.matrix(2, columns, new Affine(bits, group, Element.BF16), piece);
        holds(weight, expected);
    }

    /** Two rows of 64 values, groups of 32: nibble i of a row is i % 16. */
    @Test
    void mxfp4ValuesHaveAPowerOfTwoByGroup() {
        byte[] values = new byte[2 * 32];
        float[][] expected = new float[2][64];
        float[] fp4 = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};
        byte[] exponents = {127, 126, (byte) 130, 0};
        float[] scales = {1, 0.5f, 8, 0x1p-127f};
        for (int i = 0; i < 128; i++) {
            values[i / 2] |= (byte) (i % 16 << 4 * (i % 2));
            expected[i / 64][i % 64] = fp4[i % 16] * scales[i / 32];
        }
        WeightFile file = new WeightFile(directory);
        Piece piece = new Piece(file.append(values, 32), file.append(exponents, 2), null);
        holds(Weight.matrix(2, 64, Scaled.MXFP4, piece), expected);
    }

    /** Two rows of 64 values, groups of 32: nibble i of a row is i % 16, 8 more than the number. */
    @Test
    void int4ValuesHaveAScaleByGroup() {
        byte[] values = new byte[2 * 32];
        float[][] expected = new float[2][64];
        float[] scales = {1, 0.5f, -2, 4};
        for (int i = 0; i < 128; i++) {
            values[i / 2] |= (byte) (i % 16 << 4 * (i % 2));
            expected[i / 64][i % 64] = (i % 16 - 8) * scales[i / 32];
        }
        WeightFile file = new WeightFile(directory);
        byte[] scaleBytes = shorts(0x3f80, 0x3f00, 0xc000, 0x4080);
        Piece piece = new Piece(file.append(values, 32), file.append(scaleBytes, 4), null);
        holds(Weight.matrix(2, 64, new Scaled(Element.INT4, 32, Element.BF16), piece), expected);
    }

    @Test
    void nvfp4HasScalesOf8BitsAndMxfp8ValuesOf8Bits() {
        WeightFile file = new WeightFile(directory);
        byte[] ones = new byte[16];
        Arrays.fill(ones, (byte) 0x22);
        // 0x38 is 1, 0x01 the least subnormal, 2^-9
        Piece nvfp4 = new Piece(file.append(ones, 16), file.append(new byte[] {0x38, 0x01}, 2), null);
        float[] fp4 = new float[32];
        Arrays.fill(fp4, 0, 16, 1);
        Arrays.fill(fp4, 16, 32, 0x1p-9f);
        holds(Weight.matrix(1, 32, Scaled.NVFP4, nvfp4), fp4);
        byte[] bytes = new byte[32];
        bytes[0] = 0x7e; // the greatest, 448
        bytes[1] = (byte) 0xb8; // -1
        bytes[2] = 0x41; // 2.25
        bytes[3] = 0x08; // the least normal, 2^-6
        bytes[4] = 0x7f; // no number
        Piece mxfp8 = new Piece(file.append(bytes, 32), file.append(new byte[] {(byte) 128}, 1), null);
        float[] fp8 = Arrays.copyOf(new float[] {896, -2, 4.5f, 0x1p-5f, Float.NaN}, 32);
        holds(Weight.matrix(1, 32, Scaled.MXFP8, mxfp8), fp8);
    }

    /** Blocks of 2 x 4 values over 3 rows of 6, cut at the edges; then the same without the first row. */
    @Test
    void rowsMayShareTheirScales() {
        WeightFile file = new WeightFile(directory);
        byte[] ones = new byte[18];
        Arrays.fill(ones, (byte) 0x38);
        Region values = file.append(ones, 6);
        ByteBuffer numbers = buffer(16).putFloat(1).putFloat(2).putFloat(3).putFloat(4);
        Region scales = file.append(numbers.array(), 8);
        Scaled format = new Scaled(Element.E4M3, 4, Element.F32);
        Region shared = new Region(scales.file(), scales.offset(), 8, 2, 0);
        float[][] expected = {{1, 1, 1, 1, 2, 2}, {1, 1, 1, 1, 2, 2}, {3, 3, 3, 3, 4, 4}};
        Weight whole = Weight.matrix(3, 6, format, new Piece(values, shared, null));
        holds(whole, expected);
        assertThat(whole.bytes()).isEqualTo(18 + 16);
        Region later = new Region(values.file(), values.offset() + 6, 6);
        Region skipped = new Region(scales.file(), scales.offset(), 8, 2, 1);
        holds(Weight.matrix(2, 6, format, new Piece(later, skipped, null)), expected[1], expected[2]);
    }

    @Test
    void blocksOfFloatsLevelsAndFifthBits() {
        ByteBuffer mxfp4 = buffer(17).put((byte) 128);
        ByteBuffer q50 = buffer(22).putShort((short) 0x3c00).putInt(0xffff0000);
        ByteBuffer q51 =
                buffer(24).putShort((short) 0x3c00).putShort((short) 0x4200).putInt(0x0000ffff);
        float[] fp4 = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};
        ByteBuffer iq4 = buffer(18).putShort((short) 0x3800); // 0.5
        int[] levels = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
        float[][] expected = new float[4][32];
        for (int j = 0; j < 16; j++) {
            byte pair = (byte) (j | 15 - j << 4);
            iq4.put(pair);
            expected[3][j] = 0.5f * levels[j];
            expected[3][16 + j] = 0.5f * levels[15 - j];
            mxfp4.put(pair);
            q50.put(pair);
            q51.put(pair);
            expected[0][j] = 2 * fp4[j];
            expected[0][16 + j] = 2 * fp4[15 - j];
            expected[1][j] = j - 16;
            expected[1][16 + j] = 15 - j;
            expected[2][j] = j + 16 + 3;
            expected[2][16 + j] = 15 - j + 3;
        }
        holds(weight(1, 32, Block.MXFP4, mxfp4.array()), expected[0]);
        holds(weight(1, 32, Block.IQ4_NL, iq4.array()), expected[3]);
        holds(weight(1, 32, Block.Q5_0, q50.array()), expected[1]);
        holds(weight(1, 32, Block.Q5_1, q51.array()), expected[2]);
    }

    /** Those that need dequantization. */
    static Stream<WeightFormat> ggufFormats() {
        return RandomWeight.ggufFormats().filter(format -> format != Plain.F32);
    }

    /**
     * One row, a few and many go different ways through an engine. Columns that are no whole step of 128 or panel of 512, and groups that are not whole,
     * where the format may have them.
     */
    @ParameterizedTest
    @MethodSource("org.espalier.engine.RandomWeight#formats")
    void productsEqualThoseOfTheDecodedValues(WeightFormat format) {
        IntStream.of(160, format.fits(1056) ? 1056 : 1280)
                .filter(format::fits)
                .forEach(columns -> products(format, columns));
    }

    private void products(WeightFormat format, int columns) {
        int rows = 33;
        Weight weight = RandomWeight.of(format, rows, columns, new WeightFile(directory));
        float[][] decoded = WeightFile.decoded(weight);
        holds(weight, decoded);
        for (int t : new int[] {1, 3, 9}) {
            float[][] x = tested.rows(51, t, columns);
            OpBench bench = new OpBench(columns, rows);
            bench.builder().weight("w", weight);
            float[][] actual = bench.op((in, out) -> new Linear(in, Projection.of("w"), out))
                    .run(tested, x);
            Expected[][] expected =
                    Arrays.stream(x).map(row -> Expected.multiply(decoded, row)).toArray(Expected[][]::new);
            tested.differences().compare(Linear.class, format, actual, expected);
        }
    }

    @ParameterizedTest
    @MethodSource("ggufFormats")
    void valuesEqualThoseThatTheGgufPackageReads(WeightFormat format) throws IOException {
        Path golden = Path.of("..", "..", "shared", "golden", "gguf_quants");
        Path raw = golden.resolve(format.title() + ".bin");
        assumeTrue(Files.exists(raw), "../shared/golden is not beside the repository, or not whole");
        FloatBuffer expected = ByteBuffer.wrap(Files.readAllBytes(golden.resolve(format.title() + ".f32")))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        float[] values = new float[expected.remaining()];
        expected.get(values);
        byte[] bytes = Files.readAllBytes(raw);
        float[] actual = decode(weight(1, values.length, format, bytes))[0];
        for (int i = 0; i < values.length; i++) {
            float size = Math.max(Math.abs(values[i]), 1e-3f);
            assertThat(actual[i]).isCloseTo(values[i], within(size * Tolerance.ofOtherSoftware(tested.precision())));
        }
    }
}
