package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.espalier.architecture.Architectures;
import org.espalier.weights.Affine;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Pieces;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MlxCheckpointTest {

    @TempDir
    Path folder;

    private Checkpoint open(String quantization, SafetensorsBuilder weights) throws IOException {
        Files.writeString(
                folder.resolve("config.json"), "{\"model_type\":\"llama\",\"quantization\":" + quantization + "}");
        weights.write(folder.resolve("model.safetensors"));
        return Checkpoint.open(folder, Architectures.gguf());
    }

    private static List<Integer> shape(Weight weight) {
        return List.of(weight.count(), weight.rows(), weight.columns());
    }

    /** 4 rows of 128 values: 16 words of 8 values, two groups of 64. */
    private static SafetensorsBuilder matrix(String module) {
        return new SafetensorsBuilder()
                .tensor(module + ".weight", "U32", 4, 16)
                .tensor(module + ".scales", "BF16", 4, 2)
                .tensor(module + ".biases", "BF16", 4, 2);
    }

    @Test
    void theShapeIsThatOfTheValues() throws IOException {
        Checkpoint checkpoint = open("{\"group_size\":64,\"bits\":4}", matrix("a"));
        Weight weight = checkpoint.weight("a.weight");
        assertThat(shape(weight)).containsExactly(1, 4, 128);
        assertThat(weight.format()).isEqualTo(new Affine(4, 64, Element.BF16));
        Piece piece = weight.pieces().get(0);
        assertThat(piece.values().rowBytes()).isEqualTo(64);
        assertThat(piece.scales().offset()).isEqualTo(piece.values().offset() + 4 * 64);
        assertThat(piece.scales().rowBytes()).isEqualTo(4);
        assertThat(piece.biases().rowBytes()).isEqualTo(4);
        assertThat(checkpoint.names()).containsExactly("a.weight");
        assertThatThrownBy(() -> checkpoint.weight("a.scales")).hasMessage(folder + " has no tensor a.scales");
    }

    @Test
    void anOverrideWithoutModeIsAffineUnderAnotherGlobalMode() throws IOException {
        SafetensorsBuilder weights = matrix("a")
                .tensor("b.weight", "U32", 4, 16)
                .tensor("b.scales", "F16", 4, 2)
                .tensor("b.biases", "F16", 4, 2);
        String quantization =
                "{\"group_size\":64,\"bits\":4,\"mode\":\"mxfp5\",\"b\":{\"group_size\":32,\"bits\":8},\"c\":false}";
        Checkpoint checkpoint = open(quantization, weights);
        assertThat(checkpoint.weight("b.weight").format()).isEqualTo(new Affine(8, 32, Element.F16));
        assertThat(shape(checkpoint.weight("b.weight"))).containsExactly(1, 4, 64);
        assertThatThrownBy(() -> checkpoint.weight("a.weight"))
                .hasMessage(folder
                        + ": tensor a.weight is quantized with mode mxfp5, 4 bits and groups of 64; supported are"
                        + " affine with 2, 3, 4, 5, 6 or 8 bits, mxfp4 and mxfp8 with groups of 32, nvfp4 with groups"
                        + " of 16");
    }

    /** 2 x 3 rows of 64 values: the words of a row, the scales of a row. */
    @ParameterizedTest
    @CsvSource({"mxfp4,4,32,8,2", "mxfp8,8,32,16,2", "nvfp4,4,16,8,4"})
    void smallFloatsHaveScalesOfOneByteAndNoBiases(String mode, int bits, int group, int words, int scales)
            throws IOException {
        Checkpoint checkpoint = open(
                "{\"group_size\":" + group + ",\"bits\":" + bits + ",\"mode\":\"" + mode + "\"}",
                new SafetensorsBuilder()
                        .tensor("m.experts.up_proj.weight", "U32", 2, 3, words)
                        .tensor("m.experts.up_proj.scales", "U8", 2, 3, scales)
                        .tensor("m.experts.up_proj.bias", "BF16", 2, 3));
        assertThat(checkpoint.names()).containsExactly("m.experts.*.up_proj.weight", "m.experts.*.up_proj.bias");
        Weight weight = checkpoint.weight("m.experts.*.up_proj.weight");
        assertThat(shape(weight)).containsExactly(2, 3, 64);
        assertThat(weight.format().title()).isEqualTo(mode);
        Pieces.Stack stack = (Pieces.Stack) weight.pieces();
        assertThat(stack.first().biases()).isNull();
        assertThat(stack.get(1).scales().offset())
                .isEqualTo(stack.first().scales().offset() + 3 * scales);
        assertThat(weight.bytes()).isEqualTo(2 * 3 * (4 * words + scales));
    }

    @Test
    void nvfp4WithAScaleOfTheWholeTensorIsRefused() throws IOException {
        SafetensorsBuilder weights = new SafetensorsBuilder()
                .tensor("a.weight", "U32", 4, 16)
                .tensor("a.scales", "U8", 4, 8)
                .tensor("a.global_scale", "F32", 1);
        assertThatThrownBy(() -> open("{\"group_size\":16,\"bits\":4,\"mode\":\"nvfp4\"}", weights)
                        .weight("a.weight"))
                .hasMessage(folder + ": tensor a.weight has a.global_scale, which is not supported in mode nvfp4");
    }

    @ParameterizedTest
    @CsvSource({"2,8,128", "3,3,32", "5,5,32", "6,12,64"})
    void valuesOfAnyWidthLieCloseTogether(int bits, int words, int group) throws IOException {
        int columns = words * 32 / bits;
        SafetensorsBuilder weights = new SafetensorsBuilder()
                .tensor("a.weight", "U32", 4, words)
                .tensor("a.scales", "BF16", 4, columns / group)
                .tensor("a.biases", "BF16", 4, columns / group);
        String quantization = "{\"group_size\":" + group + ",\"bits\":" + bits + "}";
        Weight weight = open(quantization, weights).weight("a.weight");
        assertThat(shape(weight)).containsExactly(1, 4, columns);
        assertThat(weight.pieces().get(0).values().rowBytes()).isEqualTo(4 * words);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"group_size\":64,\"bits\":7} | mode affine, 7 bits",
                "{\"group_size\":64,\"bits\":3} | has the shape [4, 16] of 32-bit words, expected rows of whole values",
                "{\"group_size\":32,\"bits\":4,\"mode\":\"mxfp4\"} | a.weight has a.biases, which is not supported in mode mxfp4",
                "{\"group_size\":64,\"bits\":4,\"mode\":\"mxfp4\"} | mode mxfp4, 4 bits and groups of 64",
                "{\"group_size\":32,\"bits\":4,\"mode\":\"mxfp8\"} | mode mxfp8, 4 bits and groups of 32",
                "{\"group_size\":32,\"bits\":4} | a.scales has the shape [4, 2], expected [4, 4] for [4, 128]",
                "{\"group_size\":64,\"bits\":8} | a.scales has the shape [4, 2], expected [4, 1] for [4, 64]",
                "{\"group_size\":48,\"bits\":4} | expected [4, 2] for [4, 128] with 4 bits and groups of 48",
                "{\"group_size\":64,\"bits\":4,\"a\":false} | has scales but config.json says that it is not quantized",
                "{\"group_size\":64} | quantization has no whole number bits",
                "{\"group_size\":64,\"bits\":4,\"a\":{\"bits\":4}} | quantization of a has no whole number group_size",
                "{\"group_size\":0,\"bits\":4} | no whole number group_size"
            })
    void settingsThatDoNotFitAreRefused(String quantization, String message) throws IOException {
        Checkpoint checkpoint = open(quantization, matrix("a"));
        assertThatThrownBy(() -> checkpoint.weight("a.weight"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aWeightWithoutItsBiasesOrScalesIsRefused() throws IOException {
        String quantization = "{\"group_size\":64,\"bits\":4}";
        SafetensorsBuilder half =
                new SafetensorsBuilder().tensor("a.weight", "U32", 4, 16).tensor("a.scales", "BF16", 4, 2);
        assertThatThrownBy(() -> open(quantization, half).weight("a.weight"))
                .hasMessage(folder + " has no tensor a.biases");
        assertThatThrownBy(() -> open(quantization, new SafetensorsBuilder().tensor("a.weight", "U32", 4, 16))
                        .weight("a.weight"))
                .hasMessage(folder + ": tensor a.weight is of type U32, expected F32, F16 or BF16");
    }

    @Test
    void plainStacksAndTheirBiasesAreStacksToo() throws IOException {
        Checkpoint checkpoint = open(
                "{\"group_size\":64,\"bits\":4}",
                new SafetensorsBuilder()
                        .tensor("m.mlp.switch_mlp.up_proj.weight", "F16", 3, 4, 8)
                        .tensor("m.mlp.switch_mlp.up_proj.bias", "F16", 3, 4));
        assertThat(checkpoint.names())
                .containsExactly("m.mlp.experts.*.up_proj.weight", "m.mlp.experts.*.up_proj.bias");
        Weight weight = checkpoint.weight("m.mlp.experts.*.up_proj.weight");
        assertThat(shape(weight)).containsExactly(3, 4, 8);
        Pieces.Stack stack = (Pieces.Stack) weight.pieces();
        assertThat(stack.get(2).values().offset() - stack.first().values().offset())
                .isEqualTo(2 * 4 * 8 * 2);
        Weight biases = checkpoint.weight("m.mlp.experts.*.up_proj.bias");
        assertThat(shape(biases)).containsExactly(3, 1, 4);
        assertThat(((Pieces.Stack) biases.pieces()).distance()).isEqualTo(1);
        assertThat(biases.pieces().get(2).values().offset())
                .isEqualTo(stack.first().values().offset() + 3 * 4 * 8 * 2 + 2 * 4 * 2);
        assertThatThrownBy(() -> checkpoint.weight("m.mlp.experts.3.up_proj.weight"))
                .hasMessage(folder + " has no tensor m.mlp.experts.3.up_proj.weight");
    }

    @Test
    void aStackOfMoreExpertsThanIdsIsRefused() {
        assertThatThrownBy(() -> open(
                        "{\"group_size\":64,\"bits\":4}",
                        new SafetensorsBuilder().tensor("m.mlp.switch_mlp.up_proj.weight", "F16", 40_000, 1, 1)))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(folder + ": tensor m.mlp.switch_mlp.up_proj.weight has the shape [40000, 1, 1], expected a"
                        + " stack of 1 to 32767 matrices");
        assertThatThrownBy(() -> open(
                        "{\"group_size\":64,\"bits\":4}",
                        new SafetensorsBuilder().tensor("m.mlp.switch_mlp.up_proj.bias", "F16", 3)))
                .hasMessageEndingWith("has the shape [3], expected a stack of 1 to 32767 vectors");
    }

    @Test
    void anotherQuantMethodIsNoMlxCheckpoint() throws IOException {
        matrix("a").write(folder.resolve("model.safetensors"));
        Files.writeString(
                folder.resolve("config.json"),
                "{\"quantization_config\":{\"quant_method\":\"gptq\",\"group_size\":64,\"bits\":4}}");
        assertThat(Checkpoint.open(folder, Architectures.gguf()).layout()).isEqualTo(Checkpoint.Layout.SAFETENSORS);
    }
}
