package org.espalier.architecture;

import java.util.List;
import java.util.Set;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GatedDeltaConfig;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.RoutedExperts;
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: qwen3_5_moe}, Qwen3.5 and Qwen3.6 with experts, which compute what {@link Qwen3Next} does; every layer has experts, and the
 * projections of linear attention are stored one kind after the other. Images are not served.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>Gated DeltaNet, <a href="https://arxiv.org/abs/2412.06464">Yang et al. 2024</a></td><td>{@link GatedDeltaNet}</td></tr>
 *   <tr><td>output gate of attention, <a href="https://arxiv.org/abs/2505.06708">Qiu et al. 2025</a></td><td>{@link
 *       GroupedQueryAttention#gatedBlock}</td></tr>
 *   <tr><td>256 experts, 8 for each token</td><td>{@link MixtureOfExperts#softmaxRouter}</td></tr>
 *   <tr><td>one shared expert, gated for each token</td><td>{@link MixtureOfExperts#gatedSharedExpert}</td></tr>
 * </table>
 *
 * @param sharedIntermediate width of the shared expert
 */
record Qwen35Moe(
        Backbone backbone,
        GroupedAttentionConfig attention,
        GatedDeltaConfig linear,
        RoutedExperts experts,
        int sharedIntermediate,
        List<String> ignoredKeys)
        implements Architecture {

    static Qwen35Moe read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        Qwen35.readText(config);
        config.ignore("mlp_only_layers"); // transformers does not read it
        return new Qwen35Moe(
                backbone,
                GroupedAttentionConfig.read(
                        config, backbone, Qwen3Next.DEFAULTS, GroupedAttentionConfig.fullAttention(backbone)),
                GatedDeltaConfig.read(config, backbone),
                RoutedExperts.readQwen(config, backbone.everyLayer()),
                config.size("shared_expert_intermediate_size"),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "qwen3_5_moe";
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
            moe.route(layer, name + ".mlp.gate", moe.softmaxRouter(true));
            moe.experts(name + ".mlp.experts");
            moe.gatedSharedExpert(name + ".mlp", sharedIntermediate);
            decoder.addBlock();
        });
    }

    @Override
    public MlxStorage mlxStorage() {
        return MlxStorage.USUAL.withRouter(MlxStorage.Router.EIGHT_BITS).withNorms(MlxStorage.Norms.PLUS_ONE);
    }

    /** Its value heads are in another order than published. */
    static final GgufDialect GGUF = GgufDialect.of("qwen35moe", "qwen3_5_moe")
            .tensors(Qwen3Next.ggufNames())
            .metadata(config -> Qwen3Next.ggufExperts(config.gatedDelta().put("gguf_tiled_value_heads", true)));
}
