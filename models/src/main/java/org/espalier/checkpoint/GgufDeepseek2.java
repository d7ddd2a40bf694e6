package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * GGUF's architecture {@code deepseek2}: DeepSeek V2, and V3 and Kimi K2, which score with a sigmoid. Newer files have the halves of {@code
 * kv_b_proj} apart, as MLX has, and count the absorbed heads: one key head as wide as latent and rope together.
 */
final class GgufDeepseek2 implements GgufArchitecture {
    private static final int SOFTMAX = 1; // gguf-py's ExpertGatingFuncType
    private static final int SIGMOID = 2;

    /** The converter writes the multiplier of 0.1 ln(factor) + 1, which is the config's {@code mscale_all_dim}, times 0.1. */
    private static final double LOG_MULTIPLIER = 0.1;

    private static final GgufNames NAMES = GgufNames.dense()
            .withExperts()
            .withSharedExperts("shared_experts")
            .with(Map.of(
                    "attn_q_a", "self_attn.q_a_proj",
                    "attn_q_a_norm", "self_attn.q_a_layernorm",
                    "attn_q_b", "self_attn.q_b_proj",
                    "attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa",
                    "attn_kv_a_norm", "self_attn.kv_a_layernorm",
                    "attn_kv_b", "self_attn.kv_b_proj",
                    "attn_k_b", "self_attn.embed_q",
                    "attn_v_b", "self_attn.unembed_out",
                    "exp_probs_b.bias", "mlp.gate.e_score_correction_bias"));

    @Override
    public String name() {
        return "deepseek2";
    }

    @Override
    public GgufNames names() {
        return NAMES;
    }

    @Override
    public ObjectNode config(GgufFile file) {
        Object gating = file.metadata().getOrDefault("deepseek2.expert_gating_func", SOFTMAX);
        boolean sigmoid = gating instanceof Number number && number.longValue() == SIGMOID;
        GgufConfig config = new GgufConfig(file, sigmoid ? "deepseek_v3" : "deepseek_v2").decoder();
        if (!sigmoid && config.whole("expert_gating_func", SOFTMAX) != SOFTMAX) {
            config.refuse("expert_gating_func", SOFTMAX + " or " + SIGMOID);
        }
        config.whole("expert_gating_func", SOFTMAX);
        attention(config);
        experts(config, sigmoid);
        return config.finish();
    }

    private static void attention(GgufConfig config) {
        long rope = config.whole("rope.dimension_count", 0);
        long key = config.whole("attention.key_length", 0);
        long value = config.whole("attention.value_length", 0);
        config.put("qk_rope_head_dim", rope)
                .put("qk_nope_head_dim", config.whole("attention.key_length_mla", key) - rope)
                .put("v_head_dim", config.whole("attention.value_length_mla", value))
                .number("attention.q_lora_rank", "q_lora_rank")
                .number("attention.kv_lora_rank", "kv_lora_rank")
                .ropeScaling();
        double scale = config.real("rope.scaling.yarn_log_multiplier", 0) / LOG_MULTIPLIER;
        if (config.scaling() != null && scale != 0) {
            config.scaling().put("mscale", scale).put("mscale_all_dim", scale); // equal in all published models
        }
    }

    private static void experts(GgufConfig config, boolean sigmoid) {
        long experts = config.whole("expert_count", 0);
        Groups fallback = Groups.of(experts, sigmoid);
        Groups groups = new Groups(
                config.whole("expert_group_count", fallback.count),
                config.whole("expert_group_used_count", fallback.kept));
        config.number("expert_count", "n_routed_experts")
                .number("expert_used_count", "num_experts_per_tok")
                .number("expert_feed_forward_length", "moe_intermediate_size")
                .put("n_shared_experts", config.whole("expert_shared_count", 0))
                .put("first_k_dense_replace", config.whole("leading_dense_block_count", 0))
                .put("routed_scaling_factor", config.real("expert_weights_scale", 1))
                .put("n_group", groups.count)
                .put("topk_group", groups.kept);
        boolean normalized = config.flag("expert_weights_norm", false);
        if (sigmoid) {
            config.put("topk_method", "noaux_tc").flagged("norm_topk_prob", normalized);
        } else {
            config.put("topk_method", groups.count > 1 ? "group_limited_greedy" : "greedy");
            if (normalized) {
                config.refuse("expert_weights_norm", false);
            }
        }
    }

    /** Groups of experts. Older converters left them out; the number of experts then says which of the published models it is. */
    private record Groups(long count, long kept) {
        static Groups of(long experts, boolean sigmoid) {
            if (sigmoid && experts == 256) {
                return new Groups(8, 4); // DeepSeek V3 and R1
            }
            if (!sigmoid && experts == 160) {
                return new Groups(8, 3); // DeepSeek V2 and V2.5
            }
            return new Groups(1, 1);
        }
    }
}
