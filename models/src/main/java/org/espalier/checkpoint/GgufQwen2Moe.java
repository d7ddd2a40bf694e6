package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;

/** GGUF's architecture {@code qwen2moe}; its weights are not normalized, as in all published models. */
final class GgufQwen2Moe implements GgufArchitecture {
    private static final GgufNames NAMES = GgufNames.dense()
            .withExperts()
            .withSharedExperts("shared_expert")
            .with(Map.of("ffn_gate_inp_shexp", "mlp.shared_expert_gate"));

    @Override
    public String name() {
        return "qwen2moe";
    }

    @Override
    public GgufNames names() {
        return NAMES;
    }

    /** The shared expert's gate is a matrix of one row. */
    @Override
    public List<Integer> publishedShape(String published, List<Integer> stored) {
        boolean row = stored.size() == 1 && published.endsWith(".shared_expert_gate.weight");
        return row ? List.of(1, stored.get(0)) : stored;
    }

    @Override
    public ObjectNode config(GgufFile file) {
        return new GgufConfig(file, "qwen2_moe")
                .decoder()
                .wholeHeads()
                .ropeScaling()
                .number("expert_count", "num_experts")
                .number("expert_used_count", "num_experts_per_tok")
                .number("expert_feed_forward_length", "moe_intermediate_size")
                .number("expert_shared_feed_forward_length", "shared_expert_intermediate_size")
                .flagged("norm_topk_prob", false)
                .finish();
    }
}
