package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.architecture.Architectures;
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
        assertThatThrownBy(() -> checkpoint.tensor(name))
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
        Tensor stack = checkpoint.tensor("e.gate_up_proj");
        assertThat(stack.shape()).containsExactly(3, 8, 64);
        assertThat(stack.format()).isEqualTo(TensorFormat.Scaled.MXFP4);
        assertThat(stack.bytes()).isEqualTo(3 * 8 * 2 * 17);
        Tensor third = stack.element(2);
        assertThat(third.values().offset()).isEqualTo(stack.values().offset() + 2 * 8 * 32);
        assertThat(third.values().rowBytes()).isEqualTo(32);
        assertThat(third.scales().offset()).isEqualTo(stack.scales().offset() + 2 * 8 * 2);
        assertThat(third.scales().rowBytes()).isEqualTo(2);
        assertThatThrownBy(() -> checkpoint.tensor("e.gate_up_proj_blocks"))
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

    @Test
    void fp8HasAFactorForEachBlockOfValues() throws IOException {
        Checkpoint checkpoint = open(
                FP8,
                new SafetensorsBuilder()
                        .tensor("a.weight", "F8_E4M3", 300, 200)
                        .tensor("a.weight_scale_inv", "F32", 3, 2));
        assertThat(checkpoint.names()).containsExactly("a.weight");
        Tensor tensor = checkpoint.tensor("a.weight");
        assertThat(tensor.shape()).containsExactly(300, 200);
        assertThat(tensor.format().title()).isEqualTo("fp8 E4M3, group 128");
        assertThat(tensor.bytes()).isEqualTo(300 * 200 + 3 * 2 * 4);
        Tensor.Extent scales = tensor.rows(200, 100).scales();
        assertThat(scales.offset()).isEqualTo(tensor.scales().offset() + 8);
        assertThat(scales.sharedBy()).isEqualTo(128);
        assertThat(scales.skipped()).isEqualTo(200 - 128);
        assertThat(tensor.rows(200, 100).rows(60, 40).scales().offset())
                .isEqualTo(tensor.scales().offset() + 16);
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
                ": tensor a is of type F8_E4M3 and has the shape [2, 8, 8], expected a matrix");
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
                " has no tensor a.weight: the checkpoint is quantized with gptq, read are plain floats, mxfp4, and fp8"
                        + " with weight_block_size");
    }
}
