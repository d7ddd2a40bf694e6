package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.espalier.architecture.Architectures;
import org.espalier.weights.Matrix;
import org.espalier.weights.Pieces;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightReader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** gpt-oss's experts in the forms that they are published in: one layer of the same values, and each form answers them alike. */
class MergedExpertsTest {

    private static final int EXPERTS = 3;
    private static final int WIDTH = 32;
    private static final int HIDDEN = 64;
    private static final int GROUP = 32; // values that share a scale
    private static final String LAYER = "model.layers.0.mlp.experts.";
    private static final String EVERY = LAYER + "*.";
    private static final float[] MAGNITUDES = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6}; // of E2M1

    @TempDir
    Path folder;

    /** The 4-bit numbers [E][rows][columns], the powers of two that scale them [E][rows][groups], and biases [E][rows]. */
    private record Projection(byte[][][] numbers, int[][][] powers, float[][] biases) {
        static Projection random(Random random, int rows, int columns) {
            Projection made = new Projection(
                    new byte[EXPERTS][rows][columns],
                    new int[EXPERTS][rows][columns / GROUP],
                    new float[EXPERTS][rows]);
            for (int e = 0; e < EXPERTS; e++) {
                for (int row = 0; row < rows; row++) {
                    random.nextBytes(made.numbers[e][row]);
                    for (int column = 0; column < columns; column++) {
                        made.numbers[e][row][column] &= 0xf;
                    }
                    for (int group = 0; group < columns / GROUP; group++) {
                        made.powers[e][row][group] = random.nextInt(5) - 2;
                    }
                    made.biases[e][row] = random.nextInt(256) / 64f; // exact in bf16
                }
            }
            return made;
        }

        float value(int expert, int row, int column) {
            int number = numbers[expert][row][column];
            float magnitude = MAGNITUDES[number & 7] * (float) Math.pow(2, powers[expert][row][column / GROUP]);
            return number < 8 ? magnitude : -magnitude;
        }

        int rows() {
            return numbers[0].length;
        }

        int columns() {
            return numbers[0][0].length;
        }
    }

    private Projection gate;
    private Projection up;
    private Projection down;

    @BeforeEach
    void makeValues() {
        Random random = new Random(7);
        gate = Projection.random(random, WIDTH, HIDDEN);
        up = Projection.random(random, WIDTH, HIDDEN);
        down = Projection.random(random, HIDDEN, WIDTH);
    }

    /** Gate in even rows, up in odd ones. */
    private Projection interleaved() {
        Projection both = Projection.random(new Random(0), 2 * WIDTH, HIDDEN);
        for (int e = 0; e < EXPERTS; e++) {
            for (int row = 0; row < WIDTH; row++) {
                both.numbers[e][2 * row] = gate.numbers[e][row];
                both.numbers[e][2 * row + 1] = up.numbers[e][row];
                both.powers[e][2 * row] = gate.powers[e][row];
                both.powers[e][2 * row + 1] = up.powers[e][row];
                both.biases[e][2 * row] = gate.biases[e][row];
                both.biases[e][2 * row + 1] = up.biases[e][row];
            }
        }
        return both;
    }

    @Test
    void asPublishedInBlocksOfFourBits() throws IOException {
        Projection both = interleaved();
        SafetensorsBuilder weights = new SafetensorsBuilder()
                .tensor(LAYER + "gate_up_proj_blocks", "U8", nibbles(both), EXPERTS, 2 * WIDTH, HIDDEN / GROUP, 16)
                .tensor(LAYER + "gate_up_proj_scales", "U8", scales(both), EXPERTS, 2 * WIDTH, HIDDEN / GROUP)
                .tensor(LAYER + "gate_up_proj_bias", "BF16", biases(both), EXPERTS, 2 * WIDTH)
                .tensor(LAYER + "down_proj_blocks", "U8", nibbles(down), EXPERTS, HIDDEN, WIDTH / GROUP, 16)
                .tensor(LAYER + "down_proj_scales", "U8", scales(down), EXPERTS, HIDDEN, WIDTH / GROUP)
                .tensor(LAYER + "down_proj_bias", "BF16", biases(down), EXPERTS, HIDDEN);
        answersItsValues(
                open("{\"model_type\":\"gpt_oss\",\"quantization_config\":{\"quant_method\":\"mxfp4\"}}", weights));
    }

    @Test
    void asTransformersWritesThemTransposed() throws IOException {
        Projection both = interleaved();
        SafetensorsBuilder weights = new SafetensorsBuilder()
                .tensor(LAYER + "gate_up_proj", "BF16", transposed(both), EXPERTS, HIDDEN, 2 * WIDTH)
                .tensor(LAYER + "gate_up_proj_bias", "BF16", biases(both), EXPERTS, 2 * WIDTH)
                .tensor(LAYER + "down_proj", "BF16", transposed(down), EXPERTS, WIDTH, HIDDEN)
                .tensor(LAYER + "down_proj_bias", "BF16", biases(down), EXPERTS, HIDDEN);
        answersItsValues(open("{\"model_type\":\"gpt_oss\"}", weights));
    }

    @Test
    void asMlxKeepsThemApart() throws IOException {
        SafetensorsBuilder weights = new SafetensorsBuilder();
        mlx(weights, "gate_proj", gate);
        mlx(weights, "up_proj", up);
        mlx(weights, "down_proj", down);
        answersItsValues(open(
                "{\"model_type\":\"gpt_oss\",\"quantization\":{\"group_size\":32,\"bits\":4,\"mode\":\"mxfp4\"}}",
                weights));
    }

    @Test
    void asGgufKeepsThemApart() {
        GgufBuilder weights =
                new GgufBuilder().key("general.architecture", "gpt-oss").key("gpt-oss.attention.sliding_window", 128);
        gguf(weights, "ffn_gate_exps", gate);
        gguf(weights, "ffn_up_exps", up);
        gguf(weights, "ffn_down_exps", down);
        answersItsValues(Checkpoint.open(weights.write(folder.resolve("model.gguf")), Architectures.gguf()));
    }

    /** Architectures but gpt-oss: all rows of gate, then those of up. */
    @Test
    void oneBehindTheOther() throws IOException {
        Projection both = Projection.random(new Random(0), 2 * WIDTH, HIDDEN);
        for (int e = 0; e < EXPERTS; e++) {
            for (int row = 0; row < WIDTH; row++) {
                both.numbers[e][row] = gate.numbers[e][row];
                both.numbers[e][WIDTH + row] = up.numbers[e][row];
                both.powers[e][row] = gate.powers[e][row];
                both.powers[e][WIDTH + row] = up.powers[e][row];
            }
        }
        Checkpoint checkpoint = open(
                "{\"model_type\":\"qwen3_moe\"}",
                new SafetensorsBuilder()
                        .tensor(LAYER + "gate_up_proj", "BF16", upright(both), EXPERTS, 2 * WIDTH, HIDDEN)
                        .tensor(LAYER + "down_proj", "BF16", upright(down), EXPERTS, HIDDEN, WIDTH));
        assertThat(checkpoint.names())
                .containsExactlyInAnyOrder(
                        EVERY + "gate_proj.weight", EVERY + "up_proj.weight", EVERY + "down_proj.weight");
        sameWeight(checkpoint, "gate_proj", gate);
        sameWeight(checkpoint, "up_proj", up);
        sameWeight(checkpoint, "down_proj", down);
    }

    @Test
    void anOddNumberOfRowsIsRefused() throws IOException {
        Checkpoint checkpoint = open(
                "{\"model_type\":\"gpt_oss\"}",
                new SafetensorsBuilder().tensor(LAYER + "gate_up_proj", "BF16", EXPERTS, HIDDEN, 7));
        assertThatThrownBy(() -> checkpoint.weight(EVERY + "up_proj.weight"))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(folder + ": tensor " + LAYER + "gate_up_proj has 7 rows, expected those of gate and of up");
    }

    private Checkpoint open(String config, SafetensorsBuilder weights) throws IOException {
        Files.writeString(folder.resolve("config.json"), config);
        weights.write(folder.resolve("model.safetensors"));
        return Checkpoint.open(folder, Architectures.gguf());
    }

    private void answersItsValues(Checkpoint checkpoint) {
        assertThat(checkpoint.names())
                .containsExactlyInAnyOrder(
                        EVERY + "gate_proj.weight",
                        EVERY + "gate_proj.bias",
                        EVERY + "up_proj.weight",
                        EVERY + "up_proj.bias",
                        EVERY + "down_proj.weight",
                        EVERY + "down_proj.bias");
        same(checkpoint, "gate_proj", gate);
        same(checkpoint, "up_proj", up);
        same(checkpoint, "down_proj", down);
    }

    private static void same(Checkpoint checkpoint, String name, Projection expected) {
        sameWeight(checkpoint, name, expected);
        Weight bias = checkpoint.weight(EVERY + name + ".bias");
        assertThat(bias.pieces()).as(name).isInstanceOf(Pieces.Stack.class);
        assertThat(bias.count()).isEqualTo(EXPERTS);
        try (WeightReader reader = WeightReader.streaming()) {
            Matrix biases = reader.open(name, bias);
            for (int e = 0; e < EXPERTS; e++) {
                assertThat(biases.vector(e)).as(name + ".bias").isEqualTo(expected.biases[e]);
            }
        }
    }

    private static void sameWeight(Checkpoint checkpoint, String name, Projection expected) {
        Weight weight = checkpoint.weight(EVERY + name + ".weight");
        assertThat(weight.pieces()).as(name).isInstanceOf(Pieces.Stack.class);
        assertThat(weight.count()).isEqualTo(EXPERTS);
        try (WeightReader reader = WeightReader.streaming()) {
            Matrix matrices = reader.open(name, weight);
            for (int e = 0; e < EXPERTS; e++) {
                float[][] values = matrices.decode(e);
                assertThat(values).hasDimensions(expected.rows(), expected.columns());
                for (int row = 0; row < expected.rows(); row++) {
                    for (int column = 0; column < expected.columns(); column++) {
                        assertThat(values[row][column])
                                .as(name + " of expert " + e + ", row " + row + ", column " + column)
                                .isEqualTo(expected.value(e, row, column));
                    }
                }
            }
        }
    }

    private static void mlx(SafetensorsBuilder weights, String name, Projection projection) {
        int rows = projection.rows();
        int columns = projection.columns();
        weights.tensor(LAYER + name + ".weight", "U32", nibbles(projection), EXPERTS, rows, columns / 8)
                .tensor(LAYER + name + ".scales", "U8", scales(projection), EXPERTS, rows, columns / GROUP)
                .tensor(LAYER + name + ".bias", "BF16", biases(projection), EXPERTS, rows);
    }

    /** Blocks of a scale and 16 bytes: value j in the low nibble of byte j, value j + 16 in the high one. */
    private static void gguf(GgufBuilder weights, String name, Projection projection) {
        Bytes bytes = new Bytes();
        Bytes biases = new Bytes();
        for (int e = 0; e < EXPERTS; e++) {
            for (int row = 0; row < projection.rows(); row++) {
                byte[] numbers = projection.numbers[e][row];
                for (int from = 0; from < numbers.length; from += GROUP) {
                    bytes.write(127 + projection.powers[e][row][from / GROUP]);
                    for (int j = from; j < from + 16; j++) {
                        bytes.write(numbers[j] | numbers[j + 16] << 4);
                    }
                }
                biases.int32(Float.floatToIntBits(projection.biases[e][row]));
            }
        }
        weights.tensor(
                        "blk.0." + name + ".weight",
                        39,
                        bytes.toByteArray(),
                        EXPERTS,
                        projection.rows(),
                        projection.columns())
                .tensor("blk.0." + name + ".bias", 0, biases.toByteArray(), EXPERTS, projection.rows());
    }

    /** The first of two in the low nibble. */
    private static byte[] nibbles(Projection projection) {
        Bytes bytes = new Bytes();
        for (byte[][] expert : projection.numbers) {
            for (byte[] row : expert) {
                for (int i = 0; i < row.length; i += 2) {
                    bytes.write(row[i] | row[i + 1] << 4);
                }
            }
        }
        return bytes.toByteArray();
    }

    private static byte[] scales(Projection projection) {
        Bytes bytes = new Bytes();
        for (int[][] expert : projection.powers) {
            for (int[] row : expert) {
                for (int power : row) {
                    bytes.write(127 + power);
                }
            }
        }
        return bytes.toByteArray();
    }

    private static byte[] upright(Projection projection) {
        Bytes bytes = new Bytes();
        for (int e = 0; e < EXPERTS; e++) {
            for (int row = 0; row < projection.rows(); row++) {
                for (int column = 0; column < projection.columns(); column++) {
                    bytes.bf16(projection.value(e, row, column));
                }
            }
        }
        return bytes.toByteArray();
    }

    private static byte[] transposed(Projection projection) {
        Bytes bytes = new Bytes();
        for (int e = 0; e < EXPERTS; e++) {
            for (int column = 0; column < projection.columns(); column++) {
                for (int row = 0; row < projection.rows(); row++) {
                    bytes.bf16(projection.value(e, row, column));
                }
            }
        }
        return bytes.toByteArray();
    }

    private static byte[] biases(Projection projection) {
        Bytes bytes = new Bytes();
        for (float[] expert : projection.biases) {
            for (float bias : expert) {
                bytes.bf16(bias);
            }
        }
        return bytes.toByteArray();
    }

    private static final class Bytes extends ByteArrayOutputStream {
        void bf16(float value) {
            int bits = Float.floatToIntBits(value);
            assertThat(bits & 0xffff).as(value + " is not exact in bf16").isZero();
            write(bits >> 16);
            write(bits >> 24);
        }

        void int32(int bits) {
            for (int shift = 0; shift < 32; shift += 8) {
                write(bits >> shift);
            }
        }
    }
}
