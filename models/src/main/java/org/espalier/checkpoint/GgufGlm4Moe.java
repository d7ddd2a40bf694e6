package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/** GGUF's architecture {@code glm4moe}; its multi-token-prediction layers are the last of its blocks. */
final class GgufGlm4Moe implements GgufArchitecture {
    private static final int SIGMOID = 2; // gguf-py's ExpertGatingFuncType

    private static final GgufNames NAMES = GgufNames.dense()
            .withHeadNorms()
            .withExperts()
            .withSharedExperts("shared_experts")
            .with(Map.of(
                    "post_attention_norm", "post_attention_layernorm",
                    "exp_probs_b.bias", "mlp.gate.e_score_correction_bias",
                    "nextn.eh_proj", "eh_proj",
                    "nextn.embed_tokens", "embed_tokens",
                    "nextn.enorm", "enorm",
                    "nextn.hnorm", "hnorm",
                    "nextn.shared_head_head", "shared_head.head",
                    "nextn.shared_head_norm", "shared_head.norm"));

    @Override
    public String name() {
        return "glm4moe";
    }

    @Override
    public GgufNames names() {
        return NAMES;
    }

    @Override
    public ObjectNode config(GgufFile file) {
        GgufConfig config = new GgufConfig(file, "glm4_moe").decoder().heads().ropeScaling();
        if (config.whole("expert_gating_func", SIGMOID) != SIGMOID) {
            config.refuse("expert_gating_func", SIGMOID);
        }
        long headWidth = config.headWidth();
        if (headWidth > 0) {
            double turned = config.whole("rope.dimension_count", headWidth);
            config.put("partial_rotary_factor", turned / headWidth);
        }
        long nextToken = config.whole("nextn_predict_layers", 0);
        return config.put("num_hidden_layers", config.whole("block_count", 0) - nextToken)
                .put("num_nextn_predict_layers", nextToken)
                .put("first_k_dense_replace", config.whole("leading_dense_block_count", 0))
                .number("expert_count", "n_routed_experts")
                .number("expert_used_count", "num_experts_per_tok")
                .number("expert_feed_forward_length", "moe_intermediate_size")
                .put("n_shared_experts", config.whole("expert_shared_count", 0))
                .put("n_group", config.whole("expert_group_count", 1))
                .put("topk_group", config.whole("expert_group_used_count", 1))
                .put("routed_scaling_factor", config.real("expert_weights_scale", 1))
                .flagged("norm_topk_prob", config.flag("expert_weights_norm", true))
                .flagged("attention_bias", config.holds("blk.0.attn_q.bias"))
                .flagged("use_qk_norm", config.holds("blk.0.attn_q_norm.weight"))
                .finish();
    }
}
