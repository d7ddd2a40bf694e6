package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * GGUF's architecture {@code llama}: Llama, Mistral and, where it has experts, Mixtral. Old Mixtral files have a tensor for each expert, newer
 * ones stacks.
 */
final class GgufLlama implements GgufArchitecture {
    private static final GgufNames NAMES = GgufNames.dense()
            .with(Map.of(
                    "ffn_gate_inp", "block_sparse_moe.gate",
                    "ffn_gate_exps", "block_sparse_moe.experts.*.w1",
                    "ffn_up_exps", "block_sparse_moe.experts.*.w3",
                    "ffn_down_exps", "block_sparse_moe.experts.*.w2",
                    "ffn_gate.*", "block_sparse_moe.experts.*.w1",
                    "ffn_up.*", "block_sparse_moe.experts.*.w3",
                    "ffn_down.*", "block_sparse_moe.experts.*.w2"));

    @Override
    public String name() {
        return "llama";
    }

    @Override
    public GgufNames names() {
        return NAMES;
    }

    @Override
    public ObjectNode config(GgufFile file) {
        boolean experts = file.metadata().get("llama.expert_count") instanceof Number count && count.doubleValue() != 0;
        GgufConfig config = new GgufConfig(file, experts ? "mixtral" : "llama")
                .decoder()
                .wholeHeads()
                .ropeScaling();
        if (experts) {
            config.number("expert_count", "num_local_experts").number("expert_used_count", "num_experts_per_tok");
        } else {
            config.flagged("attention_bias", config.holds("blk.0.attn_q.bias"))
                    .flagged("mlp_bias", config.holds("blk.0.ffn_gate.bias"));
        }
        return config.finish();
    }

    /** llama.cpp's converter permutes the rows of q and k so that neighbours turn together. */
    @Override
    public Checkpoint.RopePairing ropePairing(Checkpoint.RopePairing published) {
        return Checkpoint.RopePairing.INTERLEAVED;
    }
}
