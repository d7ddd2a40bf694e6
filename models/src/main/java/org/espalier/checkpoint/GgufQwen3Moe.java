package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** GGUF's architecture {@code qwen3moe}; its weights are normalized, as in all published models. */
final class GgufQwen3Moe implements GgufArchitecture {
    private static final GgufNames NAMES = GgufNames.dense().withHeadNorms().withExperts();

    @Override
    public String name() {
        return "qwen3moe";
    }

    @Override
    public GgufNames names() {
        return NAMES;
    }

    @Override
    public ObjectNode config(GgufFile file) {
        return new GgufConfig(file, "qwen3_moe")
                .decoder()
                .wholeHeads()
                .ropeScaling()
                .number("expert_count", "num_experts")
                .number("expert_used_count", "num_experts_per_tok")
                .number("expert_feed_forward_length", "moe_intermediate_size")
                .flagged("norm_topk_prob", true)
                .finish();
    }
}
