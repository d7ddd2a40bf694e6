package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.architecture.Architecture;
import org.espalier.architecture.Architectures;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.RopeScaling;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
        assertThat(checkpoint.tensor("model.embed_tokens.weight").shape()).containsExactly(264, 64);
        assertThat(checkpoint.tensor("model.layers.2.self_attn.k_proj.weight").shape())
                .containsExactly(64, 64);
        assertThat(checkpoint.tensor("model.layers.2.mlp.down_proj.weight").shape())
                .containsExactly(64, 128);
        assertThat(checkpoint.tensor("model.norm.weight").shape()).containsExactly(64);
        assertThat(checkpoint.bytes()).isEqualTo(bytesOfAll(checkpoint));
    }

    @Test
    void theLayoutSaysWhichDimensionsTurnTogether() {
        var half = Checkpoint.RopePairing.HALF;
        assertThat(Checkpoint.open(Golden.tiny("llama-tiny/hf"), Architectures.gguf())
                        .ropePairing(half))
                .isEqualTo(half);
        assertThat(Checkpoint.open(Golden.tiny("llama_gguf-tiny/gguf/model.gguf"), Architectures.gguf())
                        .ropePairing(half))
                .isEqualTo(Checkpoint.RopePairing.INTERLEAVED);
    }

    @Test
    void shardsAreOneCheckpoint() {
        Checkpoint checkpoint = Checkpoint.open(Golden.tiny("deepseek_v3-tiny/hf"), Architectures.gguf());
        assertThat(checkpoint.layout()).isEqualTo(Checkpoint.Layout.SAFETENSORS);
        Tensor correction = checkpoint.tensor("model.layers.1.mlp.gate.e_score_correction_bias");
        assertThat(correction.format()).isEqualTo(TensorFormat.Plain.F32);
        assertThat(correction.shape()).containsExactly(16);
        Tensor expert = checkpoint.tensor("model.layers.3.mlp.experts.15.down_proj.weight");
        assertThat(expert.shape()).containsExactly(64, 64);
        assertThat(expert.values().file()).isRegularFile();
        assertThat(checkpoint.bytes()).isEqualTo(bytesOfAll(checkpoint));
        Architecture config = Architectures.read(checkpoint.config());
        assertThat(config.attention().positions().scaling())
                .isEqualTo(new RopeScaling.Yarn(40, 256, 32, 1, 1, 1, true));
        assertThat(config.moe().orElseThrow().layers()).containsExactly(1, 2, 3);
    }

    @Test
    void stackedExpertsAreAnsweredOneByOne() {
        Checkpoint checkpoint = Checkpoint.open(Golden.tiny("deepseek_v3-tiny/mlx4"), Architectures.gguf());
        assertThat(checkpoint.layout()).isEqualTo(Checkpoint.Layout.MLX);
        Tensor first = checkpoint.tensor("model.layers.1.mlp.experts.0.gate_proj.weight");
        Tensor third = checkpoint.tensor("model.layers.1.mlp.experts.2.gate_proj.weight");
        assertThat(third.shape()).containsExactly(64, 64);
        assertThat(third.format()).isEqualTo(new TensorFormat.MlxAffine(4, 64, TensorFormat.Plain.BF16));
        assertThat(third.name()).isEqualTo("model.layers.1.mlp.experts.2.gate_proj.weight");
        // 64 x 64 values of 4 bits; one scale of 2 bytes a row
        assertThat(third.values().offset() - first.values().offset()).isEqualTo(2 * 64 * 64 / 2);
        assertThat(third.scales().offset() - first.scales().offset()).isEqualTo(2 * 64 * 2);
        assertThat(third.biases().rowBytes()).isEqualTo(2);
        assertThat(checkpoint
                        .tensor("model.layers.1.mlp.switch_mlp.gate_proj.weight")
                        .shape())
                .containsExactly(16, 64, 64);
        assertThat(checkpoint.tensor("model.layers.1.self_attn.embed_q.weight").shape())
                .containsExactly(2, 64, 64);
        assertThat(checkpoint.tensor("model.layers.2.self_attn.o_proj.weight").format())
                .isEqualTo(new TensorFormat.MlxAffine(8, 64, TensorFormat.Plain.BF16));
        assertThat(checkpoint.tensor("model.layers.2.mlp.gate.weight").format()).isEqualTo(TensorFormat.Plain.BF16);
        assertThat(checkpoint.names()).noneMatch(name -> name.endsWith(".scales") || name.endsWith(".biases"));
        assertThat(checkpoint.bytes()).isEqualTo(bytesOfAll(checkpoint));
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
            Tensor found = checkpoint.tensor(tensor);
            assertThat(found.values().offset() + found.values().rowBytes() * found.rows() * found.count())
                    .isLessThanOrEqualTo(found.values().file().toFile().length());
        }
    }

    private static long bytesOfAll(Checkpoint checkpoint) {
        return checkpoint.names().stream()
                .mapToLong(name -> checkpoint.tensor(name).bytes())
                .sum();
    }
}
