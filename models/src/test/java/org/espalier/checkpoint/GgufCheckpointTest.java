package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.espalier.architecture.Architecture;
import org.espalier.architecture.Architectures;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.RopeScaling;
import org.espalier.weights.Block;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufCheckpointTest {

    @TempDir
    Path folder;

    private Checkpoint open(GgufBuilder builder) {
        return Checkpoint.open(builder.write(folder.resolve("model.gguf")), Architectures.gguf());
    }

    private void refused(GgufBuilder builder, String message) {
        assertThatThrownBy(() -> open(builder))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(folder.resolve("model.gguf") + message);
    }

    @Test
    void namesAndConfigAreThePublishedOnes() {
        Checkpoint checkpoint = open(GgufBuilder.llama().key("llama.unheard_of", 7));
        Architecture config = Architectures.read(checkpoint.config());
        assertThat(checkpoint.names())
                .containsExactlyInAnyOrder(
                        "model.embed_tokens.weight", "model.norm.weight", "model.layers.0.self_attn.q_proj.weight");
        assertThat(checkpoint.weight("model.layers.0.self_attn.q_proj.weight").format())
                .isEqualTo(Block.Q4_0);
        assertThat(config.vocabulary()).isEqualTo(4);
        assertThat(((GroupedAttentionConfig) config.attention()).kvHeads()).isEqualTo(1);
        assertThat(((GroupedAttentionConfig) config.attention()).headWidth()).isEqualTo(32);
        assertThat(config.tiedEmbeddings()).isTrue();
        assertThat(checkpoint.config().path("attention_bias").asBoolean(true)).isFalse();
        assertThat(config.endOfSequence()).containsExactly(3);
        assertThat(config.attention().positions().theta()).isEqualTo(10_000);
        assertThat(config.attention().positions().scaling()).isEqualTo(new RopeScaling.Default());
        assertThat(config.ignoredKeys()).containsExactly("llama.unheard_of");
        assertThat(checkpoint.metadata()).containsEntry("tokenizer.ggml.tokens", List.of("a", "b", "c", "d"));
    }

    @Test
    void biasesAndAnOutputMatrixAreSeen() {
        ObjectNode json = open(GgufBuilder.llama()
                        .tensor("output.weight", GgmlType.F16, 4, 32)
                        .tensor("blk.0.attn_q.bias", GgmlType.F32, 32)
                        .key("tokenizer.ggml.eot_token_id", 2))
                .config();
        Architecture config = Architectures.read(json);
        assertThat(config.tiedEmbeddings()).isFalse();
        assertThat(json.path("attention_bias").asBoolean()).isTrue();
        assertThat(config.endOfSequence()).containsExactlyInAnyOrder(2, 3);
    }

    @Test
    void storedRopeDivisorsAreHonoured() {
        float[] divisors = new float[16];
        Arrays.fill(divisors, 1);
        divisors[15] = 32;
        Checkpoint checkpoint = open(GgufBuilder.llama().vector("rope_freqs.weight", divisors));
        Architecture config = Architectures.read(checkpoint.config());
        assertThat(checkpoint.has("rope_freqs.weight")).isFalse();
        assertThat(((RopeScaling.Divided) config.attention().positions().scaling()).divisors())
                .hasSize(16)
                .startsWith(1f)
                .endsWith(32f);
        assertThatThrownBy(() -> Architectures.read(open(GgufBuilder.llama().vector("rope_freqs.weight", 1, 2))
                        .config()))
                .hasMessage("rope_freqs.weight has 2 values, expected half of head_dim, 16");
        refused(
                GgufBuilder.llama().tensor("rope_freqs.weight", GgmlType.F16, 16),
                ": tensor rope_freqs.weight is of type number 1 and shape [16], expected a vector of F32, half a head long");
    }

    @Test
    void computationsThatAreNotDoneAreRefusedByName() {
        refused(
                GgufBuilder.llama().key("llama.rope.scaling.type", "longrope"),
                ": metadata key llama.rope.scaling.type is longrope, which is not supported: expected none, linear or yarn");
        refused(
                GgufBuilder.llama().key("llama.rope.scaling.type", "yarn").vector("rope_freqs.weight", 1, 2),
                ": metadata key llama.rope.scaling.type is yarn, which is not supported: expected none");
        refused(
                GgufBuilder.llama().key("llama.rope.scaling.type", "yarn").key("llama.rope.scaling.attn_factor", 2f),
                ": metadata key llama.rope.scaling.attn_factor is 2.0, which is not supported: expected 1");
        refused(
                GgufBuilder.llama().key("llama.rope.dimension_count", 16),
                ": metadata key llama.rope.dimension_count is 16, which is not supported: expected 32");
        refused(
                GgufBuilder.llama().key("llama.attention.value_length", 16),
                ": metadata key llama.attention.value_length is 16, which is not supported: expected 32");
        refused(
                GgufBuilder.llama().key("llama.attention.clamp_kqv", 0.5f),
                ": metadata key llama.attention.clamp_kqv is 0.5, which is not supported: expected 0");
        refused(
                GgufBuilder.llama().key("llama.attention.causal", false),
                ": metadata key llama.attention.causal is false, which is not supported: expected true");
        refused(
                GgufBuilder.llama().key("llama.rope.freq_base", "x"),
                ": metadata key llama.rope.freq_base is x, expected a number");
        refused(
                GgufBuilder.llama().tensor("blk.0.attn_q_norm.weight", GgmlType.F32, 32),
                " has the tensor blk.0.attn_q_norm.weight, which the architecture llama does not have");
    }

    @Test
    void whatIsNotServedIsRefused() {
        refused(
                new GgufBuilder().key("general.architecture", "mamba"),
                " is of the GGUF architecture mamba, which is not supported; supported are: "
                        + Architectures.gguf().all().stream()
                                .map(GgufDialect::name)
                                .distinct()
                                .collect(Collectors.joining(", ")));
        refused(new GgufBuilder(), " has no text for the metadata key general.architecture");
    }

    @Test
    void aTypeThatIsNotComputedWithIsRefusedWhenAsked() {
        Checkpoint checkpoint = open(GgufBuilder.llama()
                .tensor("blk.0.ffn_up.weight", GgmlType.TQ1_0, 2, 256)
                .tensor("blk.0.ffn_down.weight", 77, new byte[32], 8));
        assertThatThrownBy(() -> checkpoint.weight("model.layers.0.mlp.up_proj.weight"))
                .hasMessage(folder.resolve("model.gguf")
                        + ": tensor blk.0.ffn_up.weight is of type TQ1_0, which is not supported, expected one of"
                        + " F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS, BF16,"
                        + " MXFP4");
        assertThatThrownBy(() -> checkpoint.weight("model.layers.0.mlp.down_proj.weight"))
                .hasMessageContaining("is of type number 77");
        assertThatThrownBy(() -> checkpoint.weight("blk.0.attn_q.weight"))
                .hasMessageEndingWith(" has no tensor blk.0.attn_q.weight");
    }
}
