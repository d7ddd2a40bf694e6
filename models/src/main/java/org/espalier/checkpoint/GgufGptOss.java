package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * GGUF's architecture {@code gpt-oss}. Its experts are stacks with gate and up apart and keep the names that MLX gives them. That layers
 * alternate, the clamp and the unrounded YaRN range are fixed parts of the architecture and not in the file.
 */
final class GgufGptOss implements GgufArchitecture {
    private static final GgufNames NAMES = GgufNames.dense()
            .with(Map.of(
                    "post_attention_norm", "post_attention_layernorm",
                    "attn_sinks.weight", "self_attn.sinks",
                    "ffn_gate_inp", "mlp.router",
                    "ffn_gate_exps", "mlp.experts.gate_proj",
                    "ffn_up_exps", "mlp.experts.up_proj",
                    "ffn_down_exps", "mlp.experts.down_proj"));

    @Override
    public String name() {
        return "gpt-oss";
    }

    @Override
    public GgufNames names() {
        return NAMES;
    }

    @Override
    public ObjectNode config(GgufFile file) {
        GgufConfig config = new GgufConfig(file, "gpt_oss")
                .decoder()
                .wholeHeads()
                .ropeScaling()
                .number("expert_count", "num_local_experts")
                .number("expert_used_count", "num_experts_per_tok")
                .number("expert_feed_forward_length", "intermediate_size")
                .number("attention.sliding_window", "sliding_window")
                .flagged("attention_bias", true);
        if (config.scaling() != null) {
            config.scaling().put("truncate", false);
        }
        return config.finish();
    }
}
