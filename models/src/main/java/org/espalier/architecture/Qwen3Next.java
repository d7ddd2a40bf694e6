package org.espalier.architecture;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufConfig;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.checkpoint.GgufNames;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GatedDeltaConfig;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.RoutedExperts;
import org.espalier.config.SparseLayers;
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: qwen3_next}, <a href="https://qwen.ai/blog?id=4074cca80393150c248e508aa62983f9cb7d27cd">Qwen3-Next</a>: linear attention in
 * three of four layers, gated attention in the others, and many small experts with a shared one.
 *
 * <table>
 *   <caption>announcement and method</caption>
 *   <tr><td>Gated DeltaNet, <a href="https://arxiv.org/abs/2412.06464">Yang et al. 2024</a></td><td>{@link GatedDeltaNet}</td></tr>
 *   <tr><td>output gate of attention, <a href="https://arxiv.org/abs/2505.06708">Qiu et al. 2025</a></td><td>{@link
 *       GroupedQueryAttention#gatedBlock}</td></tr>
 *   <tr><td>rotary positions of the first quarter of a head</td><td>{@link #DEFAULTS}</td></tr>
 *   <tr><td>zero-centred RMSNorm</td><td>{@link GatedDeltaNet#norms}</td></tr>
 *   <tr><td>512 experts, 10 for each token</td><td>{@link MixtureOfExperts#softmaxRouter}</td></tr>
 *   <tr><td>one shared expert, gated for each token</td><td>{@link MixtureOfExperts#gatedSharedExpert}</td></tr>
 * </table>
 *
 * @param intermediate width of the MLP in layers without experts
 * @param sharedIntermediate width of the shared expert
 * @param normalizeTopK whether the chosen weights are divided by their sum
 */
record Qwen3Next(
        Backbone backbone,
        GroupedAttentionConfig attention,
        GatedDeltaConfig linear,
        int intermediate,
        RoutedExperts experts,
        int sharedIntermediate,
        boolean normalizeTopK,
        List<String> ignoredKeys)
        implements Architecture {

    static final GroupedAttentionConfig.Defaults DEFAULTS = new GroupedAttentionConfig.Defaults(256, 10_000, 0.25f);

    static Qwen3Next read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        config.absent("attention_bias");
        config.absent("use_sliding_window");
        return new Qwen3Next(
                backbone,
                GroupedAttentionConfig.read(config, backbone, DEFAULTS, GroupedAttentionConfig.fullAttention(backbone)),
                GatedDeltaConfig.read(config, backbone),
                config.size("intermediate_size"),
                RoutedExperts.readQwen(config, SparseLayers.read(config, backbone)),
                config.size("shared_expert_intermediate_size"),
                config.flagOrTrue("norm_topk_prob"),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "qwen3_next";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member, GatedDeltaNet.norms(checkpoint, linear));
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        GatedDeltaNet delta = new GatedDeltaNet(decoder, linear, backbone);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            if (linear.layers().contains(layer)) {
                delta.block(name + ".linear_attn");
            } else {
                gqa.gatedBlock(layer, name + ".self_attn");
            }
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            if (experts.layers().contains(layer)) {
                moe.route(layer, name + ".mlp.gate", moe.softmaxRouter(normalizeTopK));
                moe.experts(name + ".mlp.experts");
                moe.gatedSharedExpert(name + ".mlp", sharedIntermediate);
            } else {
                decoder.mlp(name + ".mlp", intermediate);
            }
            decoder.addBlock();
        });
    }

    @Override
    public MlxStorage mlxStorage() {
        return MlxStorage.USUAL.withRouter(MlxStorage.Router.EIGHT_BITS).withNorms(MlxStorage.Norms.PLUS_ONE);
    }

    static final GgufDialect GGUF = GgufDialect.of("qwen3next", "qwen3_next")
            .tensors(ggufNames())
            .metadata(config -> ggufExperts(config.gatedDelta()));

    static GgufNames ggufNames() {
        return GgufNames.dense()
                .withHeadNorms()
                .withGatedDelta()
                .withExperts()
                .withSharedExperts("shared_expert")
                .withNextToken()
                .with(Map.of(
                        "post_attention_norm", "post_attention_layernorm",
                        "ffn_gate_inp_shexp", "mlp.shared_expert_gate"));
    }

    static void ggufExperts(GgufConfig config) {
        config.number("expert_count", "num_experts")
                .number("expert_used_count", "num_experts_per_tok")
                .number("expert_feed_forward_length", "moe_intermediate_size")
                .number("expert_shared_feed_forward_length", "shared_expert_intermediate_size");
    }
}
