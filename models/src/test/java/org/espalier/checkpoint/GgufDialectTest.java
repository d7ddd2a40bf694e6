package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.espalier.architecture.Architectures;
import org.espalier.weights.Pieces;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GgufDialectTest {

    @TempDir
    Path folder;

    private Checkpoint open(GgufBuilder builder) {
        return Checkpoint.open(builder.write(folder.resolve("model.gguf")), Architectures.gguf());
    }

    @ParameterizedTest
    @CsvSource({
        "mixtral, blk.3.ffn_gate_exps.weight, model.layers.3.block_sparse_moe.experts.*.gate_proj.weight",
        "mixtral, blk.3.ffn_down.7.weight, model.layers.3.block_sparse_moe.experts.7.down_proj.weight",
        "mixtral, blk.3.ffn_gate_inp.weight, model.layers.3.block_sparse_moe.gate.weight",
        "qwen2, blk.0.attn_q.bias, model.layers.0.self_attn.q_proj.bias",
        "qwen2_moe, blk.0.ffn_gate_inp_shexp.weight, model.layers.0.mlp.shared_expert_gate.weight",
        "qwen2_moe, blk.0.ffn_up_shexp.weight, model.layers.0.mlp.shared_expert.up_proj.weight",
        "qwen3_moe, blk.0.attn_k_norm.weight, model.layers.0.self_attn.k_norm.weight",
        "qwen3_moe, blk.0.ffn_up_exps.weight, model.layers.0.mlp.experts.*.up_proj.weight",
        "olmoe, blk.0.attn_q_norm.weight, model.layers.0.self_attn.q_norm.weight",
        "deepseek_v3, blk.60.attn_k_b.weight, model.layers.60.self_attn.embed_q.weight",
        "deepseek_v2, blk.60.attn_k_b.weight, model.layers.60.self_attn.embed_q.weight",
        "deepseek_v3, blk.60.attn_v_b.weight, model.layers.60.self_attn.unembed_out.weight",
        "deepseek_v3, blk.60.attn_kv_a_mqa.weight, model.layers.60.self_attn.kv_a_proj_with_mqa.weight",
        "deepseek_v3, blk.60.exp_probs_b.bias, model.layers.60.mlp.gate.e_score_correction_bias",
        "deepseek_v3, blk.60.ffn_down_shexp.weight, model.layers.60.mlp.shared_experts.down_proj.weight",
        "deepseek_v3, blk.47.nextn.eh_proj.weight, model.layers.47.eh_proj.weight",
        "minimax_m2, blk.3.ffn_down_exps.weight, model.layers.3.block_sparse_moe.experts.*.down_proj.weight",
        "minimax_m2, blk.3.exp_probs_b.bias, model.layers.3.block_sparse_moe.e_score_correction_bias",
        "minimax_m2, blk.3.attn_k_norm.weight, model.layers.3.self_attn.k_norm.weight",
        "glm4_moe, blk.46.nextn.shared_head_norm.weight, model.layers.46.shared_head.norm.weight",
        "glm4_moe, blk.1.post_attention_norm.weight, model.layers.1.post_attention_layernorm.weight",
        "gpt_oss, blk.1.attn_sinks.weight, model.layers.1.self_attn.sinks",
        "gpt_oss, blk.1.ffn_gate_exps.bias, model.layers.1.mlp.experts.*.gate_proj.bias",
    })
    void namesAreThePublishedOnes(String modelType, String name, String published) {
        assertThat(of(modelType).names().published(name)).contains(published);
    }

    @ParameterizedTest
    @CsvSource({
        "qwen2, blk.0.ffn_up_exps.weight",
        "qwen3, blk.0.ffn_gate.1.weight",
        "llama, blk.0.attn_q_norm.weight",
        "mixtral, blk.0.ffn_gate.123456.weight",
        "llama, blk.123456.attn_q.weight",
        "llama, blk.0.attn_q",
        "llama, blk..attn_q.weight",
        "deepseek_v3, blk.0.exp_probs_b.weight",
        "deepseek_v2, blk.0.exp_probs_b.bias",
        "llama, blk.3.ffn_gate_exps.weight",
    })
    void aTensorThatIsNotOfTheArchitectureHasNone(String modelType, String name) {
        assertThat(of(modelType).names().published(name)).isEmpty();
    }

    private static GgufDialect of(String modelType) {
        return Architectures.gguf().all().stream()
                .filter(dialect -> dialect.modelType().equals(modelType))
                .findFirst()
                .orElseThrow();
    }

    /** Whatever the key says that tells two architectures of one name apart. */
    @ParameterizedTest
    @CsvSource({
        "llama, llama.expert_count, 0, llama",
        "llama, llama.expert_count, 8, mixtral",
        "llama, other, 8, llama",
        "deepseek2, deepseek2.expert_gating_func, 1, deepseek_v2",
        "deepseek2, deepseek2.expert_gating_func, 2, deepseek_v3",
        "deepseek2, deepseek2.expert_gating_func, 3, deepseek_v2", // which refuses it
        "deepseek2, other, 2, deepseek_v2",
    })
    void exactlyOneArchitectureReadsAFile(String name, String key, int value, String modelType) {
        GgufFile file = new GgufFile(folder, Map.of("general.architecture", name, key, value), Map.of());
        assertThat(Architectures.gguf().all().stream()
                        .filter(dialect ->
                                dialect.name().equals(name) && dialect.reads().test(file))
                        .map(GgufDialect::modelType))
                .containsExactly(modelType);
    }

    @Test
    void stackedExpertsStayAStack() {
        Checkpoint checkpoint = open(GgufBuilder.llama()
                .key("llama.expert_count", 3)
                .tensor("blk.0.ffn_up_exps.weight", GgmlType.Q8_0, 3, 4, 32));
        String name = "model.layers.0.block_sparse_moe.experts.*.up_proj.weight";
        Weight experts = checkpoint.weight(name);
        assertThat(List.of(experts.count(), experts.rows(), experts.columns())).containsExactly(3, 4, 32);
        Pieces.Stack stack = (Pieces.Stack) experts.pieces();
        assertThat(stack.distance()).isEqualTo(4);
        assertThat(stack.get(2).values().offset() - stack.first().values().offset())
                .isEqualTo(2 * 4 * 34);
        assertThat(checkpoint.names()).hasSize(3 + 1).contains(name);
        assertThat(checkpoint.config().path("model_type").asText()).isEqualTo("mixtral");
    }

    private static GgufBuilder mixtral() {
        return GgufBuilder.llama().key("llama.expert_count", 3);
    }

    /** As old Mixtral files have them. */
    @Test
    void singleExpertsAreAList() {
        Checkpoint checkpoint = open(mixtral()
                .tensor("blk.0.ffn_up.1.weight", GgmlType.Q8_0, 4, 32)
                .tensor("blk.0.ffn_up.0.weight", GgmlType.Q8_0, 4, 32));
        Weight experts = checkpoint.weight("model.layers.0.block_sparse_moe.experts.*.up_proj.weight");
        assertThat(experts.pieces()).isInstanceOf(Pieces.Apart.class);
        assertThat(experts.count()).isEqualTo(2);
        assertThat(experts.pieces().get(0).values().offset())
                .isGreaterThan(experts.pieces().get(1).values().offset());
    }

    @Test
    void stacksThatAreNotThreeDimensionalAreRefused() {
        assertThatThrownBy(() -> open(mixtral().tensor("blk.0.ffn_up_exps.weight", GgmlType.F32, 3, 4)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageEndingWith(
                        "blk.0.ffn_up_exps.weight has the shape [3, 4], expected a stack of 1 to 32767 matrices");
        assertThatThrownBy(() -> open(mixtral().tensor("blk.0.ffn_up_exps.weight", GgmlType.F32, 40_000, 1, 1)))
                .hasMessageContaining("expected a stack of 1 to 32767 matrices");
        assertThatThrownBy(() -> open(mixtral()
                        .tensor("blk.0.ffn_up_exps.weight", GgmlType.F32, 2, 1, 1)
                        .tensor("blk.0.ffn_up.1.weight", GgmlType.F32, 1, 1)))
                .hasMessageEndingWith(" has both blk.0.ffn_up_exps.weight and blk.0.ffn_up.1.weight for the tensor"
                        + " model.layers.0.block_sparse_moe.experts.1.up_proj.weight");
    }

    /** As llama-quantize writes it. */
    @Test
    void aVectorIsAMatrixOfOneRow() {
        Checkpoint checkpoint = open(new GgufBuilder()
                .key("general.architecture", "qwen2moe")
                .tensor("blk.0.ffn_gate_inp_shexp.weight", GgmlType.F32, 32)
                .tensor("blk.0.attn_q.bias", GgmlType.F32, 32));
        for (String name :
                List.of("model.layers.0.mlp.shared_expert_gate.weight", "model.layers.0.self_attn.q_proj.bias")) {
            Weight weight = checkpoint.weight(name);
            assertThat(List.of(weight.count(), weight.rows(), weight.columns()))
                    .as(name)
                    .containsExactly(1, 1, 32);
        }
    }

    private static GgufBuilder deepseek(int experts, int gating) {
        return new GgufBuilder()
                .key("general.architecture", "deepseek2")
                .key("deepseek2.block_count", 2)
                .key("deepseek2.expert_count", experts)
                .key("deepseek2.expert_gating_func", gating)
                .key("deepseek2.rope.dimension_count", 64)
                .key("deepseek2.attention.kv_lora_rank", 512);
    }

    @Test
    void deepseekWithoutGroupsIsKnownByItsExperts() {
        ObjectNode v3 = open(deepseek(256, 2)).config();
        assertThat(v3.path("model_type").asText()).isEqualTo("deepseek_v3");
        assertThat(v3.path("n_group").asInt()).isEqualTo(8);
        assertThat(v3.path("topk_group").asInt()).isEqualTo(4);
        ObjectNode v2 = open(deepseek(160, 1)).config();
        assertThat(v2.path("model_type").asText()).isEqualTo("deepseek_v2");
        assertThat(v2.path("topk_method").asText()).isEqualTo("group_limited_greedy");
        assertThat(v2.path("topk_group").asInt()).isEqualTo(3);
        ObjectNode lite = open(deepseek(64, 1)).config();
        assertThat(lite.path("topk_method").asText()).isEqualTo("greedy");
        ObjectNode kimi = open(deepseek(384, 2)
                        .key("deepseek2.expert_group_count", 1)
                        .key("deepseek2.expert_group_used_count", 1))
                .config();
        assertThat(kimi.path("n_group").asInt()).isEqualTo(1);
        assertThatThrownBy(() -> open(deepseek(8, 3)))
                .hasMessageEndingWith(
                        "metadata key deepseek2.expert_gating_func is 3, which is not supported: expected 1 or 2");
    }

    @Test
    void deepseekSaysTheWidthsOfWholeOrOfAbsorbedHeads() {
        ObjectNode whole = open(deepseek(8, 2)
                        .key("deepseek2.attention.key_length", 192)
                        .key("deepseek2.attention.value_length", 128))
                .config();
        ObjectNode absorbed = open(deepseek(8, 2)
                        .key("deepseek2.attention.key_length", 576)
                        .key("deepseek2.attention.value_length", 512)
                        .key("deepseek2.attention.key_length_mla", 192)
                        .key("deepseek2.attention.value_length_mla", 128)
                        .key("deepseek2.rope.scaling.type", "yarn")
                        .key("deepseek2.rope.scaling.factor", 40f)
                        .key("deepseek2.rope.scaling.original_context_length", 4096)
                        .key("deepseek2.rope.scaling.yarn_log_multiplier", 0.1f))
                .config();
        for (ObjectNode config : new ObjectNode[] {whole, absorbed}) {
            assertThat(config.path("qk_nope_head_dim").asInt()).isEqualTo(128);
            assertThat(config.path("qk_rope_head_dim").asInt()).isEqualTo(64);
            assertThat(config.path("v_head_dim").asInt()).isEqualTo(128);
        }
        assertThat(absorbed.path("rope_scaling").path("mscale_all_dim").floatValue())
                .isEqualTo(1);
        assertThat(absorbed.path("rope_scaling").path("factor").intValue()).isEqualTo(40);
        assertThat(absorbed.path("rope_scaling")
                        .path("original_max_position_embeddings")
                        .intValue())
                .isEqualTo(4096);
    }

    /** As the converter writes GLM-4.7-Flash, whose config does not say how experts are scored. */
    @Test
    void aCorrectionWithoutAScoringMeansASigmoid() {
        ObjectNode config = open(new GgufBuilder()
                        .key("general.architecture", "deepseek2")
                        .key("deepseek2.block_count", 48)
                        .key("deepseek2.nextn_predict_layers", 1)
                        .key("deepseek2.expert_count", 64)
                        .tensor("blk.47.nextn.eh_proj.weight", GgmlType.F32, 2, 4)
                        .tensor("blk.1.exp_probs_b.bias", GgmlType.F32, 64))
                .config();
        assertThat(config.path("model_type").asText()).isEqualTo("deepseek_v3");
        assertThat(config.path("num_hidden_layers").asInt()).isEqualTo(47);
        assertThat(config.path("n_group").asInt()).isEqualTo(1);
    }

    @Test
    void glmCountsItsLayersForMoreTokensApart() {
        ObjectNode config = open(new GgufBuilder()
                        .key("general.architecture", "glm4moe")
                        .key("glm4moe.block_count", 47)
                        .key("glm4moe.nextn_predict_layers", 1)
                        .key("glm4moe.attention.key_length", 128)
                        .key("glm4moe.rope.dimension_count", 64)
                        .tensor("blk.46.nextn.eh_proj.weight", GgmlType.F32, 2, 4))
                .config();
        assertThat(config.path("num_hidden_layers").asInt()).isEqualTo(46);
        assertThat(config.path("num_nextn_predict_layers").asInt()).isEqualTo(1);
        assertThat(config.path("partial_rotary_factor").asDouble()).isEqualTo(0.5);
        assertThat(config.path("attention_bias").asBoolean()).isFalse();
    }

    private static GgufBuilder mimo() {
        return new GgufBuilder()
                .key("general.architecture", "mimo2")
                .key("mimo2.block_count", 5)
                .key("mimo2.nextn_predict_layers", 1)
                .key("mimo2.attention.key_length", 192)
                .key("mimo2.attention.value_length", 128)
                .key("mimo2.rope.dimension_count", 64)
                .key("mimo2.rope.freq_base", 5_000_000f)
                .key("mimo2.rope.freq_base_swa", 10_000f)
                .key("mimo2.attention.sliding_window", 129)
                .key("mimo2.attention.sliding_window_pattern", List.of(0, 1, 1, 0, 1))
                .key("mimo2.attention.head_count_kv", List.of(4, 8, 8, 4, 8))
                .key("mimo2.attention.value_scale", 0.707f)
                .tensor("blk.1.ffn_gate_inp.weight", GgmlType.F32, 2, 4)
                .tensor("blk.1.attn_sinks.weight", GgmlType.F32, 4);
    }

    @Test
    void mimosLayersAreOfTwoKinds() {
        ObjectNode config = open(mimo()).config();
        assertThat(config.path("num_hidden_layers").asInt()).isEqualTo(4);
        assertThat(config.path("hybrid_layer_pattern")).hasToString("[0,1,1,0]");
        assertThat(config.path("moe_layer_freq")).hasToString("[0,1,0,0]");
        assertThat(config.path("num_key_value_heads").asInt()).isEqualTo(4);
        assertThat(config.path("swa_num_key_value_heads").asInt()).isEqualTo(8);
        assertThat(config.path("rope_theta").asInt()).isEqualTo(5_000_000);
        assertThat(config.path("swa_rope_theta").asInt()).isEqualTo(10_000);
        assertThat((int) (192 * config.path("partial_rotary_factor").floatValue()))
                .isEqualTo(64);
        assertThat(config.path("v_head_dim").asInt()).isEqualTo(128);
        assertThat(config.path("sliding_window").asInt())
                .as("the token itself among them")
                .isEqualTo(129);
        assertThat(config.path("add_full_attention_sink_bias").asBoolean()).isFalse();
    }

    @Test
    void headsByLayerAreRefusedWhereAllLayersAreAlike() {
        assertThatThrownBy(() -> open(new GgufBuilder()
                        .key("general.architecture", "qwen3")
                        .key("qwen3.attention.head_count_kv", List.of(4, 8))))
                .hasMessageEndingWith("metadata key qwen3.attention.head_count_kv is a list, expected a number");
    }

    @Test
    void gptOssKeepsWhatTheFileDoesNotSay() {
        ObjectNode config = open(new GgufBuilder()
                        .key("general.architecture", "gpt-oss")
                        .key("gpt-oss.attention.sliding_window", 128)
                        .key("gpt-oss.feed_forward_length", 2880)
                        .key("gpt-oss.rope.scaling.type", "yarn")
                        .key("gpt-oss.rope.scaling.factor", 32f))
                .config();
        assertThat(config.path("rope_scaling").path("truncate").asBoolean(true)).isFalse();
        assertThat(config.path("sliding_window").asInt()).isEqualTo(128);
        assertThat(config.path("intermediate_size").asInt()).isEqualTo(2880);
        assertThat(config.fieldNames()).toIterable().noneMatch(key -> key.startsWith("gpt-oss."));
    }
}
