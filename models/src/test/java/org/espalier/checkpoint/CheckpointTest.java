package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.architecture.Architecture;
import org.espalier.architecture.Architectures;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.RopeScaling;
import org.espalier.program.Rope;
import org.espalier.weights.Affine;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Pieces;
import org.espalier.weights.Plain;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The three layouts of real files, made by other software, answer the same names. */
class CheckpointTest {

    private static final List<String> LLAMA_BLOCK = List.of(
            "input_layernorm.weight",
            "self_attn.q_proj.weight",
            "self_attn.k_proj.weight",
            "self_attn.v_proj.weight",
            "self_attn.o_proj.weight",
            "post_attention_layernorm.weight",
            "mlp.gate_proj.weight",
            "mlp.up_proj.weight",
            "mlp.down_proj.weight");

    static Stream<Path> llamas() {
        return Stream.of(Golden.tiny("llama-tiny/hf"), Golden.tiny("llama_gguf-tiny/gguf/model.gguf"));
    }

    @ParameterizedTest
    @MethodSource("llamas")
    void everyLlamaTensorIsFoundWithItsShape(Path path) {
        Checkpoint checkpoint = Checkpoint.open(path, Architectures.gguf());
        Architecture config = Architectures.read(checkpoint.config());
        assertThat(config.layers()).isEqualTo(3);
        assertThat(config.hidden()).isEqualTo(64);
        assertThat(((GroupedAttentionConfig) config.attention()).headWidth()).isEqualTo(32);
        assertThat(config.tiedEmbeddings()).isTrue();
        assertThat(config.endOfSequence()).containsExactly(260);
        assertThat(config.attention().positions().theta()).isEqualTo(500_000f);
        assertThat(config.backbone().normEps()).isEqualTo(1e-5f);
        assertThat(config.ignoredKeys()).isEmpty();
        for (int layer = 0; layer < config.layers(); layer++) {
            for (String part : LLAMA_BLOCK) {
                assertThat(checkpoint.has("model.layers." + layer + "." + part)).isTrue();
            }
        }
        assertThat(checkpoint.names()).hasSize(3 * LLAMA_BLOCK.size() + 2);
        assertThat(shape(checkpoint, "model.embed_tokens.weight")).containsExactly(1, 264, 64);
        assertThat(shape(checkpoint, "model.layers.2.self_attn.k_proj.weight")).containsExactly(1, 64, 64);
        assertThat(shape(checkpoint, "model.layers.2.mlp.down_proj.weight")).containsExactly(1, 64, 128);
        assertThat(shape(checkpoint, "model.norm.weight")).containsExactly(1, 1, 64);
        assertThat(checkpoint.bytes()).isEqualTo(bytesOfAll(checkpoint));
    }

    @Test
    void theLayoutSaysWhichDimensionsTurnTogether() {
        var half = Rope.Pairing.HALF;
        assertThat(Checkpoint.open(Golden.tiny("llama-tiny/hf"), Architectures.gguf())
                        .ropePairing(half))
                .isEqualTo(half);
        assertThat(Checkpoint.open(Golden.tiny("llama_gguf-tiny/gguf/model.gguf"), Architectures.gguf())
                        .ropePairing(half))
                .isEqualTo(Rope.Pairing.INTERLEAVED);
    }

    @Test
    void shardsAreOneCheckpoint() {
        Checkpoint checkpoint = Checkpoint.open(Golden.tiny("deepseek_v3-tiny/hf"), Architectures.gguf());
        assertThat(checkpoint.layout()).isEqualTo(Checkpoint.Layout.SAFETENSORS);
        String correction = "model.layers.1.mlp.gate.e_score_correction_bias";
        assertThat(checkpoint.weight(correction).format()).isEqualTo(Plain.F32);
        assertThat(shape(checkpoint, correction)).containsExactly(1, 1, 16);
        String experts = "model.layers.3.mlp.experts.*.down_proj.weight";
        assertThat(shape(checkpoint, experts)).containsExactly(16, 64, 64);
        assertThat(checkpoint.weight(experts).pieces()).isInstanceOf(Pieces.Apart.class);
        assertThat(checkpoint.weight(experts).pieces().get(15).values().file()).isRegularFile();
        assertThat(checkpoint.bytes()).isEqualTo(bytesOfAll(checkpoint));
        Architecture config = Architectures.read(checkpoint.config());
        assertThat(config.attention().positions().scaling())
                .isEqualTo(new RopeScaling.Yarn(40, 256, 32, 1, 1, 1, true));
        assertThat(config.moe().orElseThrow().layers()).containsExactly(1, 2, 3);
    }

    @Test
    void stackedExpertsStayAStack() {
        Checkpoint checkpoint = Checkpoint.open(Golden.tiny("deepseek_v3-tiny/mlx4"), Architectures.gguf());
        assertThat(checkpoint.layout()).isEqualTo(Checkpoint.Layout.MLX);
        String experts = "model.layers.1.mlp.experts.*.gate_proj.weight";
        assertThat(shape(checkpoint, experts)).containsExactly(16, 64, 64);
        assertThat(checkpoint.weight(experts).format()).isEqualTo(new Affine(4, 64, Element.BF16));
        Pieces.Stack stack = (Pieces.Stack) checkpoint.weight(experts).pieces();
        assertThat(stack.distance()).isEqualTo(64);
        Piece first = stack.first();
        Piece third = stack.get(2);
        // 64 x 64 values of 4 bits; one scale of 2 bytes a row
        assertThat(third.values().offset() - first.values().offset()).isEqualTo(2 * 64 * 64 / 2);
        assertThat(third.scales().offset() - first.scales().offset()).isEqualTo(2 * 64 * 2);
        assertThat(third.biases().rowBytes()).isEqualTo(2);
        assertThat(checkpoint.has("model.layers.1.mlp.switch_mlp.gate_proj.weight"))
                .isFalse();
        assertThat(shape(checkpoint, "model.layers.1.self_attn.embed_q.weight")).containsExactly(2, 64, 64);
        assertThat(checkpoint.weight("model.layers.2.self_attn.o_proj.weight").format())
                .isEqualTo(new Affine(8, 64, Element.BF16));
        assertThat(checkpoint.weight("model.layers.2.mlp.gate.weight").format()).isEqualTo(Plain.BF16);
        assertThat(checkpoint.names()).noneMatch(name -> name.endsWith(".scales") || name.endsWith(".biases"));
        assertThat(checkpoint.bytes()).isEqualTo(bytesOfAll(checkpoint));
    }

    /** One layer of DeepSeek's shape: where the file has a stack, it is one weight in one piece. */
    @ParameterizedTest
    @CsvSource({
        "deepseek_v3-tiny/hf, false",
        "deepseek_v3-tiny/mlx4, true",
        "deepseek2_gguf-tiny/gguf, true",
        "qwen3moe_gguf-tiny/gguf, true",
        "gpt-oss_gguf-tiny/gguf, true",
        "mixtral_gguf-tiny/gguf, false",
        "qwen2_moe-tiny/hf, false"
    })
    void expertsAreAStackOrAListAsTheFileHasThem(String model, boolean stacked) {
        Checkpoint checkpoint = Checkpoint.open(Golden.tiny(model), Architectures.gguf());
        List<String> experts = checkpoint.names().stream()
                .filter(name -> name.contains(".experts.") && name.endsWith(".weight"))
                .toList();
        int layers = Architectures.read(checkpoint.config())
                .moe()
                .orElseThrow()
                .layers()
                .size();
        assertThat(experts).hasSize(3 * layers).allMatch(name -> name.contains(".experts.*."));
        for (String name : experts) {
            assertThat(checkpoint.weight(name).pieces())
                    .as(name)
                    .isInstanceOf(stacked ? Pieces.Stack.class : Pieces.Apart.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "deepseek_v3/hf",
                "deepseek_v3/mlx4",
                "deepseek_v3_mlx_legacy/mlx4",
                "llama_tied/hf",
                "llama_tied/mlx4",
                "llama_untied/hf",
                "llama_untied/mlx4",
                "llama_gguf_f16/gguf/model-f16.gguf",
                "llama_gguf_q4_0/gguf/model-q4_0.gguf"
            })
    void everyTensorOfTheReferenceModelsLiesInItsFile(String name) {
        Checkpoint checkpoint = Checkpoint.open(Golden.shared(name), Architectures.gguf());
        assertThat(Architectures.read(checkpoint.config()).ignoredKeys()).isEmpty();
        assertThat(checkpoint.bytes()).isEqualTo(bytesOfAll(checkpoint));
        for (String tensor : checkpoint.names()) {
            Weight weight = checkpoint.weight(tensor);
            WeightCheck.check(tensor, weight, file -> file.toFile().length());
        }
    }

    private static List<Integer> shape(Checkpoint checkpoint, String name) {
        Weight weight = checkpoint.weight(name);
        return List.of(weight.count(), weight.rows(), weight.columns());
    }

    private static long bytesOfAll(Checkpoint checkpoint) {
        return checkpoint.names().stream()
                .mapToLong(name -> checkpoint.weight(name).bytes())
                .sum();
    }
}
