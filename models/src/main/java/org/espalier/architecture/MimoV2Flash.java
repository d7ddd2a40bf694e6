package org.espalier.architecture;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufConfig;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.checkpoint.GgufNames;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GroupLimit;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.Heads;
import org.espalier.config.Positions;
import org.espalier.config.RoutedExperts;
import org.espalier.config.SlidingWindows;
import org.espalier.config.SparseLayers;
import org.espalier.program.Program;
import org.espalier.program.Router;
import org.espalier.slice.Member;

/**
 * {@code model_type: mimo_v2_flash}, <a href="https://arxiv.org/abs/2601.02780">MiMo-V2-Flash</a>: most layers see a short window. The
 * multi-token-prediction layers are not part of the program.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2, five or so layers with a window to one without, each kind with its own KV heads and rope</td><td>{@link #kind}</td></tr>
 *   <tr><td>section 2, a learned sink in the softmax of each head of a layer with a window</td><td>{@link
 *       GroupedQueryAttention#attendWithSinks}</td></tr>
 *   <tr><td>section 2, the router and the experts of DeepSeek-V3, none of them shared</td><td>{@link MixtureOfExperts#sigmoidRouter}</td></tr>
 * </table>
 *
 * @param attention of the layers without a window
 * @param sliding of those with one
 * @param slidingLayers which these are
 * @param sinks the layers whose heads have a sink
 * @param valueScale what values are multiplied by
 * @param attentionBias whether q, k and v have biases
 * @param intermediate width of the dense layers' MLP
 * @param normalizeTopK whether the chosen weights are divided by their sum
 */
record MimoV2Flash(
        Backbone backbone,
        GroupedAttentionConfig attention,
        GroupedAttentionConfig sliding,
        List<Integer> slidingLayers,
        List<Integer> sinks,
        float valueScale,
        boolean attentionBias,
        int intermediate,
        RoutedExperts experts,
        GroupLimit limit,
        boolean normalizeTopK,
        float routedScaling,
        List<String> ignoredKeys)
        implements Architecture {

    // transformers' defaults
    private static final float NORM_EPS = 1e-5f;
    private static final int PATTERN = 6;
    private static final int WINDOW = 128;
    private static final int HEAD_WIDTH = 192;
    private static final int VALUE_WIDTH = 128;
    private static final float VALUE_SCALE = 0.707f; // sqrt(D / (H * value width))
    private static final float ROTATED = 0.334f;
    private static final float THETA = 5_000_000;
    private static final float SLIDING_THETA = 10_000;

    static MimoV2Flash read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(), NORM_EPS);
        config.only("topk_method", "noaux_tc");
        config.only("scoring_func", "sigmoid");
        config.absent("n_shared_experts");
        config.ignore("layernorm_epsilon", "attention_chunk_size"); // not read by transformers
        List<Integer> sliding =
                SlidingWindows.layersOrMarked(config, backbone, layer -> layer != 0 && (layer + 1) % PATTERN != 0);
        RoutedExperts experts = RoutedExperts.read(
                config, "n_routed_experts", "moe_intermediate_size", SparseLayers.namedOrMarked(config, backbone));
        return new MimoV2Flash(
                backbone,
                kind(config, backbone, List.of(), "", "full_attention", THETA),
                kind(config, backbone, sliding, "swa_", "sliding_attention", SLIDING_THETA),
                sliding,
                sinks(config, backbone, sliding),
                config.positive("attention_value_scale", config.mentions("attention_value_scale") ? 1 : VALUE_SCALE),
                config.flagOrFalse("attention_bias"),
                config.size("intermediate_size"),
                experts,
                GroupLimit.readForPairs(config, experts),
                config.flagOrTrue("norm_topk_prob"),
                config.positive("routed_scaling_factor", 1),
                config.ignoredKeys());
    }

    /**
     * The attention of one kind of layers. Without keys of its own the kind with a window has twice the KV heads of the other, and else the
     * same.
     *
     * @param prefix of its keys
     * @param theta transformers' constant; it reads no key for it, but the publisher's code does
     */
    private static GroupedAttentionConfig kind(
            ConfigReader config, Backbone backbone, List<Integer> layers, String prefix, String type, float theta) {
        int width = Heads.width(config, "head_dim", HEAD_WIDTH);
        int valueWidth = Heads.width(config, "v_head_dim", VALUE_WIDTH);
        config.only(prefix + "num_attention_heads", config.size("num_attention_heads"));
        config.only(prefix + "head_dim", width);
        config.only(prefix + "v_head_dim", valueWidth);
        int kv = config.size("num_key_value_heads");
        String kvKey = prefix + "num_key_value_heads";
        Heads heads = Heads.of(config, kvKey, prefix.isEmpty() ? kv : config.size(kvKey, 2 * kv), width, valueWidth);
        int rotated = Positions.rotated(config, type, width, config.positive("partial_rotary_factor", ROTATED));
        Positions positions = Positions.ofLayers(
                config, type, rotated, config.positive(prefix + "rope_theta", theta), Set.of("default"));
        float scale = (float) (1 / Math.sqrt(width));
        return GroupedAttentionConfig.of(heads, scale, positions, SlidingWindows.of(backbone, layers, window(config)));
    }

    /** As transformers has it, {@code sliding_window_size} previous tokens and the token itself. */
    private static int window(ConfigReader config) {
        int itself = config.count("sliding_window", WINDOW + 1);
        return config.has("sliding_window_size") ? config.size("sliding_window_size") + 1 : itself;
    }

    private static List<Integer> sinks(ConfigReader config, Backbone backbone, List<Integer> sliding) {
        boolean near = config.flagOrTrue("add_swa_attention_sink_bias");
        boolean far = config.flagOrFalse("add_full_attention_sink_bias");
        return backbone.everyLayer().stream()
                .filter(layer -> sliding.contains(layer) ? near : far)
                .toList();
    }

    @Override
    public String modelType() {
        return "mimo_v2_flash";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        GroupedQueryAttention far = new GroupedQueryAttention(decoder, attention);
        GroupedQueryAttention near = new GroupedQueryAttention(decoder, sliding);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts);
        Router router = moe.sigmoidRouter(limit, normalizeTopK, routedScaling);
        return decoder.program((layer, name) -> {
            GroupedQueryAttention gqa = slidingLayers.contains(layer) ? near : far;
            decoder.normResidual(name + ".input_layernorm");
            gqa.project(name + ".self_attn", Bias.of(attentionBias));
            gqa.scaleValues(valueScale);
            gqa.rotate();
            if (sinks.contains(layer)) {
                gqa.attendWithSinks(layer, name + ".self_attn.attention_sink_bias");
            } else {
                gqa.attend(layer);
            }
            gqa.output(name + ".self_attn", Bias.NONE);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            if (experts.layers().contains(layer)) {
                moe.routeWithCorrection(layer, name + ".mlp.gate", router);
                moe.experts(name + ".mlp.experts");
            } else {
                decoder.mlp(name + ".mlp", intermediate);
            }
            decoder.addBlock();
        });
    }

    @Override
    public MlxStorage mlxStorage() {
        return MlxStorage.USUAL.withRouter(MlxStorage.Router.FLOATS);
    }

    private static final int SIGMOID = 2; // gguf-py's ExpertGatingFuncType

    /** Its multi-token-prediction layers are the last of its blocks. */
    static final GgufDialect GGUF = GgufDialect.of("mimo2", "mimo_v2_flash")
            .tensors(GgufNames.dense()
                    .withExperts()
                    .with(Map.of(
                            "attn_sinks.weight", "self_attn.attention_sink_bias",
                            "exp_probs_b.bias", "mlp.gate.e_score_correction_bias",
                            "layer_output_norm", "final_layernorm",
                            "nextn.eh_proj", "eh_proj",
                            "nextn.enorm", "enorm",
                            "nextn.hnorm", "hnorm")))
            .metadata(MimoV2Flash::fromGguf);

    private static void fromGguf(GgufConfig config) {
        int layers = (int) (config.whole("block_count", 0) - config.whole("nextn_predict_layers", 0));
        List<Boolean> slides = config.flags("attention.sliding_window_pattern");
        List<Long> kvHeads = config.wholes("attention.head_count_kv");
        long width = config.headWidth();
        config.only("expert_gating_func", SIGMOID);
        config.put("num_hidden_layers", layers)
                .put("hybrid_layer_pattern", marks(layers, slides::get))
                .put("moe_layer_freq", marks(layers, layer -> config.holds("blk." + layer + ".ffn_gate_inp.weight")))
                .put("head_dim", width)
                .put("v_head_dim", config.whole("attention.value_length", width))
                // half a column more, so that a rounded fraction of the head yields this many
                .put("partial_rotary_factor", (config.whole("rope.dimension_count", width) + 0.5) / width)
                .number("rope.freq_base_swa", "swa_rope_theta")
                .number("attention.sliding_window", "sliding_window")
                .put("attention_value_scale", config.real("attention.value_scale", 1))
                .put("norm_topk_prob", config.flagOrTrue("expert_weights_norm"))
                .put("routed_scaling_factor", config.real("expert_weights_scale", 1))
                .number("expert_count", "n_routed_experts")
                .number("expert_used_count", "num_experts_per_tok")
                .number("expert_feed_forward_length", "moe_intermediate_size")
                .groups(1, 1);
        for (int layer = 0; layer < Math.min(layers, Math.min(slides.size(), kvHeads.size())); layer++) {
            String prefix = slides.get(layer) ? "swa_" : "";
            config.put(prefix + "num_key_value_heads", kvHeads.get(layer));
            boolean sinks = config.holds("blk." + layer + ".attn_sinks.weight");
            config.put(slides.get(layer) ? "add_swa_attention_sink_bias" : "add_full_attention_sink_bias", sinks);
        }
    }

    private static List<Integer> marks(int layers, IntPredicate marked) {
        return IntStream.range(0, layers)
                .map(layer -> marked.test(layer) ? 1 : 0)
                .boxed()
                .toList();
    }
}
