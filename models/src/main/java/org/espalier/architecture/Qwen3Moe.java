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
import org.espalier.config.RoutedExperts;
import org.espalier.config.SlidingWindows;
import org.espalier.config.SparseLayers;
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: qwen3_moe}, <a href="https://arxiv.org/abs/2505.09388">Qwen3</a>: {@link Qwen3} with experts, none of them shared.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2, QK-Norm</td><td>{@link GroupedQueryAttention#normHeads}</td></tr>
 *   <tr><td>section 2, 128 experts, 8 of them for each token</td><td>{@link MixtureOfExperts#softmaxRouter}</td></tr>
 * </table>
 *
 * @param attentionBias whether q, k, v and o have biases
 * @param intermediate width of the MLP in layers without experts
 * @param normalizeTopK whether the chosen weights are divided by their sum
 */
record Qwen3Moe(
        Backbone backbone,
        GroupedAttentionConfig attention,
        boolean attentionBias,
        int intermediate,
        RoutedExperts experts,
        boolean normalizeTopK,
        List<String> ignoredKeys)
        implements Architecture {

    static Qwen3Moe read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        List<Integer> windows = SlidingWindows.everywhereIfSwitchedOn(config, backbone);
        return new Qwen3Moe(
                backbone,
                GroupedAttentionConfig.read(config, backbone, windows),
                config.flagOrFalse("attention_bias"),
                config.size("intermediate_size"),
                RoutedExperts.readQwen(config, SparseLayers.read(config, backbone)),
                config.flagOrFalse("norm_topk_prob"),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "qwen3_moe";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts);
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
            if (experts.layers().contains(layer)) {
                moe.route(layer, name + ".mlp.gate", moe.softmaxRouter(normalizeTopK));
                moe.experts(name + ".mlp.experts");
            } else {
                decoder.mlp(name + ".mlp", intermediate);
            }
            decoder.addBlock();
        });
    }

    @Override
    public MlxStorage mlxStorage() {
        return MlxStorage.USUAL.withRouter(MlxStorage.Router.EIGHT_BITS);
    }

    /** Its weights are normalized, as in all published models. */
    static final GgufDialect GGUF = GgufDialect.of("qwen3moe", "qwen3_moe")
            .tensors(GgufNames.dense().withHeadNorms().withExperts())
            .metadata(config -> config.wholeHeads()
                    .number("expert_count", "num_experts")
                    .number("expert_used_count", "num_experts_per_tok")
                    .number("expert_feed_forward_length", "moe_intermediate_size")
                    .put("norm_topk_prob", true));
}
