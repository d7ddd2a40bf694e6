package org.espalier.architecture;

import java.util.List;
import java.util.Set;
import org.espalier.architecture.BlockSum.Kind;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.Heads;
import org.espalier.config.Positions;
import org.espalier.config.RopeScaling;
import org.espalier.config.RoutedExperts;
import org.espalier.config.SlidingWindows;
import org.espalier.program.Activation;
import org.espalier.program.Program;
import org.espalier.program.View;
import org.espalier.slice.Member;

/**
 * {@code model_type: gemma4}, Gemma 4 with or without experts: norms around each block as in {@link Gemma3}, but with plain weights; heads of other
 * widths in the layers without a window, which may take their keys as values. There is no paper; transformers' {@code modeling_gemma4.py} is
 * what it follows.
 *
 * <table>
 *   <caption>what is new and method</caption>
 *   <tr><td>values are normed, and may be the keys before their own norm</td><td>{@link GroupedQueryAttention#projectKeysAsValues}</td></tr>
 *   <tr><td>rope that leaves the low frequencies out</td><td>{@link RopeScaling.Proportional}</td></tr>
 *   <tr><td>experts beside an MLP, each part with a norm after it</td><td>{@link #experts}</td></tr>
 *   <tr><td>a scale of each expert, and one of each layer's output</td><td>{@link MixtureOfExperts#routeWithScales}, {@link
 *       Decoder#scaleResidual}</td></tr>
 * </table>
 *
 * <p>Embeddings of each layer (E2B, E4B) and layers that use other layers' keys are refused.
 *
 * @param attention of the layers without a window
 * @param sliding of those with one
 * @param slidingLayers which these are
 * @param keysAsValues whether the layers without a window have no projection of their own for values
 * @param attentionBias whether q, k, v and o have biases
 * @param intermediate width of the MLP
 * @param logitCap see {@link org.espalier.program.Logits}; 0 for none
 */
record Gemma4(
        Backbone backbone,
        GroupedAttentionConfig attention,
        GroupedAttentionConfig sliding,
        List<Integer> slidingLayers,
        boolean keysAsValues,
        boolean attentionBias,
        int intermediate,
        RoutedExperts experts,
        float logitCap,
        List<String> ignoredKeys)
        implements Architecture {

    // transformers' defaults
    private static final int PATTERN = 6;
    private static final int WINDOW = 512;
    private static final int HEAD_WIDTH = 256;
    private static final int FAR_HEAD_WIDTH = 512;
    private static final int LAYER_EMBEDDING = 256;
    private static final float THETA = 1_000_000;
    private static final float ROTATED = 0.25f;
    private static final float SLIDING_THETA = 10_000;

    static Gemma4 read(ConfigReader config) {
        Backbone backbone = Backbone.readGemma(config);
        refuseOtherKinds(config);
        boolean keysAsValues = config.flagOrFalse("attention_k_eq_v");
        List<Integer> sliding = SlidingWindows.layers(config, backbone, layer -> (layer + 1) % PATTERN != 0).stream()
                .filter(layer -> layer != backbone.layers() - 1) // the last has no window, whatever its type
                .toList();
        List<Integer> windows = SlidingWindows.windows(config, backbone, sliding, WINDOW);
        boolean ownKvHeads = keysAsValues && config.has("num_global_key_value_heads");
        String kvHeads = ownKvHeads ? "num_global_key_value_heads" : "num_key_value_heads";
        List<Integer> farLayers = backbone.everyLayer().stream()
                .filter(layer -> !sliding.contains(layer))
                .toList();
        config.ignore("num_global_key_value_heads", "global_head_dim");
        Heads far = Heads.ofLayers(config, farLayers)
                .orElseGet(() -> Heads.read(config, kvHeads, "global_head_dim", FAR_HEAD_WIDTH));
        Heads near = Heads.read(config, "num_key_value_heads", "head_dim", HEAD_WIDTH);
        Positions nearPositions =
                Positions.ofLayers(config, "sliding_attention", near.width(), SLIDING_THETA, Set.of("default"));
        return new Gemma4(
                backbone,
                GroupedAttentionConfig.of(far, 1, positions(config, far.width()), windows),
                GroupedAttentionConfig.of(near, 1, nearPositions, windows),
                sliding,
                keysAsValues,
                config.flagOrFalse("attention_bias"),
                config.size("intermediate_size"),
                experts(config, backbone),
                config.has("final_logit_softcapping") ? config.positive("final_logit_softcapping") : 0,
                config.ignoredKeys());
    }

    private static void refuseOtherKinds(ConfigReader config) {
        int layerEmbedding = config.count("hidden_size_per_layer_input", LAYER_EMBEDDING);
        if (layerEmbedding != 0) {
            throw config.notSupported("hidden_size_per_layer_input", layerEmbedding, "0, no embeddings of each layer");
        }
        config.only("num_kv_shared_layers", 0);
        config.only("use_bidirectional_attention", "vision"); // of images alone
        config.ignore("vocab_size_per_layer_input", "use_double_wide_mlp"); // of the kinds that are refused
    }

    private static Positions positions(ConfigReader config, int width) {
        if (!config.has("rope_parameters")) {
            return new Positions(width, THETA, new RopeScaling.Proportional((int) (ROTATED * width / 2), 1));
        }
        return Positions.ofLayers(config, "full_attention", width, THETA, Set.of("default", "proportional"));
    }

    private static RoutedExperts experts(ConfigReader config, Backbone backbone) {
        if (!config.flagOrFalse("enable_moe_block")) {
            config.ignore("num_experts", "top_k_experts", "moe_intermediate_size");
            return RoutedExperts.NONE;
        }
        return RoutedExperts.read(
                config, "num_experts", "top_k_experts", "moe_intermediate_size", backbone.everyLayer());
    }

    @Override
    public String modelType() {
        return "gemma4";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder =
                new Decoder(backbone, checkpoint, member).withScaledEmbedding().withCappedLogits(logitCap);
        GroupedQueryAttention far = new GroupedQueryAttention(decoder, attention);
        GroupedQueryAttention near = new GroupedQueryAttention(decoder, sliding);
        MixtureOfExperts moe = experts.layers().isEmpty() ? null : new MixtureOfExperts(decoder, experts);
        Bias bias = Bias.of(attentionBias);
        return decoder.program((layer, name) -> {
            boolean slides = slidingLayers.contains(layer);
            GroupedQueryAttention gqa = slides ? near : far;
            decoder.normResidual(name + ".input_layernorm");
            if (keysAsValues && !slides) {
                gqa.projectKeysAsValues(name + ".self_attn", bias);
            } else {
                gqa.projectWithNormedValues(name + ".self_attn", bias);
            }
            gqa.normHeads(name + ".self_attn");
            gqa.rotate();
            gqa.attend(layer);
            gqa.output(name + ".self_attn", bias);
            decoder.addNormedBlock(name + ".post_attention_layernorm");

            decoder.normResidual(name + ".pre_feedforward_layernorm");
            decoder.mlp(name + ".mlp", intermediate, Activation.GELU);
            if (moe != null) {
                View dense = decoder.normedSum(name + ".post_feedforward_layernorm_1");
                experts(decoder, moe, layer, name);
                View routed = decoder.normedSum(name + ".post_feedforward_layernorm_2");
                decoder.part(dense, Kind.WHOLE);
                decoder.part(routed, Kind.WHOLE);
            }
            decoder.addNormedBlock(name + ".post_feedforward_layernorm");
            decoder.scaleResidual(name + ".layer_scalar");
        });
    }

    /** The router reads the residual stream normed in its own way, and the experts in theirs. */
    private void experts(Decoder decoder, MixtureOfExperts moe, int layer, String name) {
        decoder.normResidualBy(name + ".router.scale");
        decoder.scale(decoder.normed, (float) (1 / Math.sqrt(backbone.hidden())));
        moe.routeWithScales(layer, name + ".router.proj", name + ".router.per_expert_scale", moe.softmaxRouter(true));
        decoder.normResidual(name + ".pre_feedforward_layernorm_2");
        moe.experts(name + ".experts", Activation.GELU);
    }

    @Override
    public MlxStorage mlxStorage() {
        return MlxStorage.USUAL.withRouter(MlxStorage.Router.EIGHT_BITS).withExperts("experts.switch_glu");
    }
}
