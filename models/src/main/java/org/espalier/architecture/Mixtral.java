package org.espalier.architecture;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.checkpoint.GgufNames;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.RoutedExperts;
import org.espalier.config.SlidingWindows;
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: mixtral}, <a href="https://arxiv.org/abs/2401.04088">Mixtral of Experts</a>: {@link Mistral} with experts in place of
 * every MLP.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2.1, G(x) = softmax(top-K(x W_g)), which is the softmax over all, chosen and divided by its sum</td><td>{@link
 *       MixtureOfExperts#softmaxRouter}</td></tr>
 *   <tr><td>section 2.1, y = sum of G(x)_i SwiGLU_i(x)</td><td>{@link MixtureOfExperts#experts}</td></tr>
 * </table>
 *
 * @param experts in every layer; their weights are always normalized
 */
record Mixtral(Backbone backbone, GroupedAttentionConfig attention, RoutedExperts experts, List<String> ignoredKeys)
        implements Architecture {

    private static final GroupedAttentionConfig.Defaults DEFAULTS =
            new GroupedAttentionConfig.Defaults(0, 1_000_000, 1);

    static Mixtral read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(2));
        config.ignore("router_jitter_noise"); // in training only
        return new Mixtral(
                backbone,
                GroupedAttentionConfig.read(config, backbone, DEFAULTS, SlidingWindows.everywhere(config, backbone)),
                RoutedExperts.read(config, "num_local_experts", "intermediate_size", backbone.everyLayer()),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "mixtral";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            gqa.project(name + ".self_attn", Bias.NONE);
            gqa.rotate();
            gqa.attend(layer);
            gqa.output(name + ".self_attn", Bias.NONE);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            moe.route(layer, name + ".block_sparse_moe.gate", moe.softmaxRouter(true));
            moe.experts(name + ".block_sparse_moe.experts");
            decoder.addBlock();
        });
    }

    /** {@code llama} with experts. Old files have a tensor for each expert, newer ones stacks. */
    static final GgufDialect GGUF = GgufDialect.of("llama", "mixtral")
            .onlyWhere(file -> file.number("llama.expert_count", 0) != 0)
            .tensors(GgufNames.dense()
                    .with(Map.of(
                            "ffn_gate_inp", "block_sparse_moe.gate",
                            "ffn_gate_exps", "block_sparse_moe.experts.*.gate_proj",
                            "ffn_up_exps", "block_sparse_moe.experts.*.up_proj",
                            "ffn_down_exps", "block_sparse_moe.experts.*.down_proj",
                            "ffn_gate.*", "block_sparse_moe.experts.*.gate_proj",
                            "ffn_up.*", "block_sparse_moe.experts.*.up_proj",
                            "ffn_down.*", "block_sparse_moe.experts.*.down_proj")))
            .metadata(config -> config.wholeHeads()
                    .number("expert_count", "num_local_experts")
                    .number("expert_used_count", "num_experts_per_tok"))
            .interleaved();
}
