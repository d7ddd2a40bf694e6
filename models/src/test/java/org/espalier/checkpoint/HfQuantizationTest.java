package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.espalier.architecture.Architectures;
import org.espalier.architecture.ModelWeights;
import org.espalier.config.LatentAttentionConfig;
import org.espalier.weights.Matrix;
import org.espalier.weights.Piece;
import org.espalier.weights.Pieces;
import org.espalier.weights.Region;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HfQuantizationTest {

    private static final String FP8 = "{\"quant_method\":\"fp8\",\"weight_block_size\":[128,128]}";

    @TempDir
    Path folder;

    private Checkpoint open(String quantization, SafetensorsBuilder weights) throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"quantization_config\":" + quantization + "}");
        weights.write(folder.resolve("model.safetensors"));
        return Checkpoint.open(folder, Architectures.gguf());
    }

    private void refused(String quantization, SafetensorsBuilder weights, String name, String message)
            throws IOException {
        Checkpoint checkpoint = open(quantization, weights);
        assertThatThrownBy(() -> checkpoint.weight(name))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(folder + message);
    }

    @Test
    void blocksAndScalesAreOneStackOfExperts() throws IOException {
        Checkpoint checkpoint = open(
                "{\"quant_method\":\"mxfp4\"}",
                new SafetensorsBuilder()
                        .tensor("e.gate_up_proj_blocks", "U8", 3, 8, 2, 16)
                        .tensor("e.gate_up_proj_scales", "U8", 3, 8, 2)
                        .tensor("e.gate_up_proj_bias", "BF16", 3, 8));
        assertThat(checkpoint.names()).containsExactly("e.gate_up_proj", "e.gate_up_proj_bias");
        Weight weight = checkpoint.weight("e.gate_up_proj");
        assertThat(List.of(weight.count(), weight.rows(), weight.columns())).containsExactly(3, 8, 64);
        assertThat(weight.format()).isEqualTo(Scaled.MXFP4);
        assertThat(weight.bytes()).isEqualTo(3 * 8 * 2 * 17);
        Piece first = ((Pieces.Stack) weight.pieces()).first();
        Piece third = weight.pieces().get(2);
        assertThat(third.values().offset()).isEqualTo(first.values().offset() + 2 * 8 * 32);
        assertThat(third.values().rowBytes()).isEqualTo(32);
        assertThat(third.scales().offset()).isEqualTo(first.scales().offset() + 2 * 8 * 2);
        assertThat(third.scales().rowBytes()).isEqualTo(2);
        assertThatThrownBy(() -> checkpoint.weight("e.gate_up_proj_blocks"))
                .hasMessage(folder + " has no tensor e.gate_up_proj_blocks");
    }

    @Test
    void blocksThatDoNotFitTheirScalesAreRefused() throws IOException {
        refused(
                "{}",
                new SafetensorsBuilder().tensor("a_blocks", "U8", 3, 2, 16).tensor("a_scales", "U8", 3, 3),
                "a",
                ": tensor a_blocks is U8 [3, 2, 16] and its scales are [3, 3], expected U8 [..., 16] and the same shape"
                        + " without 16");
        refused(
                "{}",
                new SafetensorsBuilder().tensor("a_blocks", "U8", 16).tensor("a_scales", "U8"),
                "a",
                ": tensor a_blocks is U8 [16] and its scales are [1], expected U8 [..., 16] and the same shape without"
                        + " 16");
        refused(
                "{}",
                new SafetensorsBuilder().tensor("a_blocks", "U8", 3, 2, 16).tensor("a_scales", "F32", 3, 2),
                "a",
                ": tensor a_scales is of type F32, expected U8 for mxfp4");
    }

    private static String int4(int group) {
        return "{\"quant_method\":\"compressed-tensors\",\"config_groups\":{\"group_0\":{\"weights\":{\"group_size\":"
                + group + "}}}}";
    }

    /** Three experts of 2 x 64: value i of a row is i % 16 - 8, times 1, 1/2, -2 and 4. */
    @Test
    void int4HasAScaleForEachGroupOfARow() throws IOException {
        byte[] numbers = new byte[2 * 32];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (byte) (2 * i % 16 | (2 * i + 1) % 16 << 4);
        }
        byte[] scales = {(byte) 0x80, 0x3f, 0, 0x3f, 0, (byte) 0xc0, (byte) 0x80, 0x40};
        SafetensorsBuilder experts = new SafetensorsBuilder();
        for (int expert = 0; expert < 3; expert++) {
            String name = "m.experts." + expert + ".up_proj.weight";
            experts.tensor(name + "_packed", "I32", numbers, 2, 8)
                    .tensor(name + "_scale", "BF16", scales, 2, 2)
                    .tensor(name + "_shape", "I64", 2);
        }
        Checkpoint checkpoint = open(int4(32), experts);
        assertThat(checkpoint.names()).containsExactly("m.experts.*.up_proj.weight");
        assertThat(checkpoint.tensors())
                .extracting(Checkpoint.StoredTensor::name)
                .hasSize(6)
                .noneMatch(name -> name.endsWith("_shape"));
        Weight weight = checkpoint.weight("m.experts.*.up_proj.weight");
        assertThat(List.of(weight.count(), weight.rows(), weight.columns())).containsExactly(3, 2, 64);
        assertThat(weight.format().title()).isEqualTo("int4, group 32");
        assertThat(weight.bytes()).isEqualTo(3 * 2 * (32 + 2 * 2));
        float[] factors = {1, 0.5f, -2, 4};
        try (WeightReader reader = WeightReader.streaming()) {
            float[][] values = reader.open("experts", weight).decode(2);
            for (int i = 0; i < 128; i++) {
                assertThat(values[i / 64][i % 64]).as("value " + i).isEqualTo((i % 16 - 8) * factors[i / 32]);
            }
        }
    }

    @Test
    void int4ThatDoesNotFitItsScalesIsRefused() throws IOException {
        String expected = ", expected I32 [rows, columns / 8] and [rows, groups]";
        refused(
                int4(32),
                new SafetensorsBuilder().tensor("a_packed", "I32", 2, 8).tensor("a_scale", "BF16", 3, 2),
                "a",
                ": tensor a_packed is I32 [2, 8] and its scales are [3, 2]" + expected);
        refused(
                int4(32),
                new SafetensorsBuilder().tensor("a_packed", "I32", 2, 8).tensor("a_scale", "BF16", 2, 3),
                "a",
                ": tensor a_packed is I32 [2, 8] and its scales are [2, 3]" + expected);
        refused(
                int4(32),
                new SafetensorsBuilder().tensor("a_packed", "U8", 2, 8).tensor("a_scale", "BF16", 2, 1),
                "a",
                ": tensor a_packed is U8 [2, 8] and its scales are [2, 1]" + expected);
        refused(
                int4(32),
                new SafetensorsBuilder().tensor("a_packed", "I32", 8).tensor("a_scale", "BF16", 8),
                "a",
                ": tensor a_packed is I32 [8] and its scales are [8]" + expected);
        refused(
                int4(32),
                new SafetensorsBuilder().tensor("a_packed", "I32", 2, 8).tensor("a_scale", "U8", 2, 2),
                "a",
                ": tensor a_scale is of type U8, expected F32, F16 or BF16");
        refused(
                int4(64),
                new SafetensorsBuilder().tensor("a_packed", "I32", 2, 8).tensor("a_scale", "BF16", 2, 2),
                "a",
                ": tensor a_scale has a scale for each 32 values, expected one for each of [64], group_size in"
                        + " quantization_config.config_groups of config.json");
    }

    @Test
    void fp8HasAFactorForEachBlockOfValues() throws IOException {
        Checkpoint checkpoint = open(
                FP8,
                new SafetensorsBuilder()
                        .tensor("a.weight", "F8_E4M3", 300, 200)
                        .tensor("a.weight_scale_inv", "F32", 3, 2));
        assertThat(checkpoint.names()).containsExactly("a.weight");
        Weight weight = checkpoint.weight("a.weight");
        assertThat(List.of(weight.count(), weight.rows(), weight.columns())).containsExactly(1, 300, 200);
        assertThat(weight.format().title()).isEqualTo("fp8 E4M3, group 128");
        assertThat(weight.bytes()).isEqualTo(300 * 200 + 3 * 2 * 4);
        Region scales = weight.pieces().get(0).scales();
        assertThat(scales.rowBytes()).isEqualTo(8);
        assertThat(scales.sharedBy()).isEqualTo(128);
        assertThat(scales.skipped()).isZero();
    }

    /** Two experts of two blocks of rows: gate has the first block, up the second. */
    @Test
    void fusedExpertsInFp8KeepTheirFactors() throws IOException {
        byte[] ones = new byte[2 * 256 * 64];
        Arrays.fill(ones, (byte) 0x38);
        ByteBuffer factors = ByteBuffer.allocate(2 * 2 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        factors.putFloat(1).putFloat(2).putFloat(3).putFloat(4);
        Checkpoint checkpoint = open(
                FP8,
                new SafetensorsBuilder()
                        .tensor("m.experts.gate_up_proj", "F8_E4M3", ones, 2, 256, 64)
                        .tensor("m.experts.gate_up_proj_scale_inv", "F32", factors.array(), 2, 2, 1));
        Weight gate = checkpoint.weight("m.experts.*.gate_proj.weight");
        Weight up = checkpoint.weight("m.experts.*.up_proj.weight");
        try (WeightReader reader = WeightReader.streaming()) {
            for (int expert = 0; expert < 2; expert++) {
                float[][] gates = reader.open("gate", gate).decode(expert);
                float[][] ups = reader.open("up", up).decode(expert);
                assertThat(gates).hasDimensions(128, 64);
                assertThat(ups).hasDimensions(128, 64);
                for (int row = 0; row < 128; row++) {
                    assertThat(gates[row]).containsOnly(2 * expert + 1);
                    assertThat(ups[row]).containsOnly(2 * expert + 2);
                }
            }
        }
    }

    /** DeepSeek's heads are cut from rows that begin inside a block of factors. */
    @Test
    void headsCutFromFp8KeepTheirFactors() throws IOException {
        int heads = 3;
        int nope = 60;
        int value = 40;
        int rank = 200;
        Random random = new Random(11);
        byte[] numbers = new byte[heads * (nope + value) * rank];
        random.nextBytes(numbers);
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] &= (byte) 0xbf; // no NaN
        }
        ByteBuffer factors = ByteBuffer.allocate(3 * 2 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        while (factors.hasRemaining()) {
            factors.putFloat(random.nextFloat());
        }
        Checkpoint checkpoint = open(
                FP8,
                new SafetensorsBuilder()
                        .tensor("a.kv_b_proj.weight", "F8_E4M3", numbers, heads * (nope + value), rank)
                        .tensor("a.kv_b_proj.weight_scale_inv", "F32", factors.array(), 3, 2));
        LatentAttentionConfig config = new LatentAttentionConfig(heads, 0, rank, nope, value, false, null);
        Weight keys = ModelWeights.keyUp(checkpoint, "a", config);
        Weight values = ModelWeights.valueUp(checkpoint, "a", config);
        assertThat(((Pieces.Stack) keys.pieces()).distance()).isEqualTo(nope + value);
        assertThat(((Pieces.Stack) values.pieces()).distance()).isEqualTo(nope + value);
        // rows 60 to 99 lie in the first block of 128, rows 160 to 199 in the second, 260 to 299 in the third
        assertThat(values.bytes()).isEqualTo(heads * (value * rank + 2 * Float.BYTES));
        try (WeightReader reader = WeightReader.streaming()) {
            float[][] joint = reader.open("joint", checkpoint.weight("a.kv_b_proj.weight"))
                    .decode(0);
            Matrix keyHeads = reader.open("keys", keys);
            Matrix valueHeads = reader.open("values", values);
            for (int head = 0; head < heads; head++) {
                int first = head * (nope + value);
                float[][] up = keyHeads.decode(head);
                for (int column = 0; column < nope; column++) {
                    for (int row = 0; row < rank; row++) {
                        assertThat(up[row][column]).isEqualTo(joint[first + column][row]);
                    }
                }
                assertThat(valueHeads.decode(head))
                        .isDeepEqualTo(Arrays.copyOfRange(joint, first + nope, first + nope + value));
            }
        }
    }

    @Test
    void fp8OfOtherKindsIsRefusedByName() throws IOException {
        refused(
                FP8,
                new SafetensorsBuilder().tensor("a.weight", "F8_E4M3", 8, 8).tensor("a.weight_scale", "F32", 1),
                "a.weight",
                ": tensor a.weight is of type F8_E4M3 and there is no a.weight_scale_inv, expected one: fp8 is read with"
                        + " a factor for each block of values only");
        refused(
                FP8,
                new SafetensorsBuilder().tensor("a", "F8_E4M3", 256, 129).tensor("a_scale_inv", "F32", 2, 1),
                "a",
                ": tensor a_scale_inv has the shape [2, 1], expected [2, 2] for [256, 129] in blocks of 128 x 128");
        refused(
                FP8,
                new SafetensorsBuilder().tensor("a", "F8_E4M3", 2, 8, 8).tensor("a_scale_inv", "F32", 2, 1),
                "a",
                ": tensor a is of type F8_E4M3 and has the shape [2, 8, 8], expected a matrix, or a stack of them with a"
                        + " multiple of 128 rows");
        refused(
                FP8,
                new SafetensorsBuilder().tensor("a", "F8_E4M3", 8, 8).tensor("a_scale_inv", "I32", 1, 1),
                "a",
                ": tensor a_scale_inv is of type I32, expected F32, F16 or BF16");
    }

    @ParameterizedTest
    @ValueSource(strings = {"[128]", "128", "[0,128]", "[128,\"x\"]", "[128,128,128]", "[-1,-1]", "[1e9,1]"})
    void blockSizesThatAreNoneAreRefused(String size) throws IOException {
        refused(
                "{\"weight_block_size\":" + size + "}",
                new SafetensorsBuilder().tensor("a", "F8_E4M3", 8, 8).tensor("a_scale_inv", "F32", 1, 1),
                "a",
                ": tensor a is of type F8_E4M3, but quantization_config.weight_block_size of config.json is "
                        + size.replace("1e9", "1.0E9") + ", expected two whole numbers");
    }

    @Test
    void anotherMethodIsNamedWhereATensorIsMissing() throws IOException {
        refused(
                "{\"quant_method\":\"gptq\"}",
                new SafetensorsBuilder().tensor("a.qweight", "I32", 8, 8),
                "a.weight",
                " has no tensor a.weight: the checkpoint is quantized with gptq; supported are plain floats, mxfp4, fp8"
                        + " with weight_block_size, and int4 of compressed-tensors");
    }
}
