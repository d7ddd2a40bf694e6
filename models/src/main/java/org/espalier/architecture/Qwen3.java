package org.espalier.architecture;

import java.util.List;
import java.util.Set;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.checkpoint.GgufNames;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.SlidingWindows;
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: qwen3}, <a href="https://arxiv.org/abs/2505.09388">Qwen3</a>: {@link Qwen2} whose biases are replaced by a norm of each
 * query and key head.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2, QK-Norm in place of the QKV bias</td><td>{@link GroupedQueryAttention#normHeads}</td></tr>
 * </table>
 *
 * @param attentionBias whether q, k, v and o have biases
 * @param intermediate width of the MLP
 */
record Qwen3(
        Backbone backbone,
        GroupedAttentionConfig attention,
        boolean attentionBias,
        int intermediate,
        List<String> ignoredKeys)
        implements Architecture {

    private static final GroupedAttentionConfig.Defaults DEFAULTS = new GroupedAttentionConfig.Defaults(128, 10_000, 1);

    static Qwen3 read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        int full = config.count("max_window_layers", 28);
        List<Integer> windows = SlidingWindows.someIfSwitchedOn(config, backbone, layer -> layer >= full);
        return new Qwen3(
                backbone,
                GroupedAttentionConfig.read(config, backbone, DEFAULTS, windows),
                config.flagOrFalse("attention_bias"),
                config.size("intermediate_size"),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "qwen3";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        Bias bias = Bias.of(attentionBias);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            gqa.project(name + ".self_attn", bias);
            gqa.normHeads(name + ".self_attn");
            gqa.rotate();
            gqa.attend(layer);
            gqa.output(name + ".self_attn", bias);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            decoder.mlp(name + ".mlp", intermediate);
            decoder.addBlock();
        });
    }

    static final GgufDialect GGUF =
            GgufDialect.of("qwen3", "qwen3").tensors(GgufNames.dense().withHeadNorms());
}
