package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** GGUF's architecture {@code olmoe}; its weights are not normalized, as in all published models. */
final class GgufOlmoe implements GgufArchitecture {
    private static final GgufNames NAMES = GgufNames.dense().withHeadNorms().withExperts();

    @Override
    public String name() {
        return "olmoe";
    }

    @Override
    public GgufNames names() {
        return NAMES;
    }

    @Override
    public ObjectNode config(GgufFile file) {
        return new GgufConfig(file, "olmoe")
                .decoder()
                .wholeHeads()
                .ropeScaling()
                .number("expert_count", "num_experts")
                .number("expert_used_count", "num_experts_per_tok")
                .flagged("norm_topk_prob", false)
                .finish();
    }
}
