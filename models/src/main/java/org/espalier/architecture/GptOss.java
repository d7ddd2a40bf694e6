package org.espalier.architecture;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufConfig;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.checkpoint.GgufNames;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.RoutedExperts;
import org.espalier.config.SlidingWindows;
import org.espalier.program.Activation;
import org.espalier.program.Program;
import org.espalier.program.Projection;
import org.espalier.slice.Member;

/**
 * {@code model_type: gpt_oss}, <a href="https://arxiv.org/abs/2508.10925">gpt-oss</a>: all projections have biases.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2.2, banded windows in every other layer</td><td>{@link #read}</td></tr>
 *   <tr><td>section 2.2, a learned sink in the softmax of each head</td><td>{@link GroupedQueryAttention#attendWithSinks}</td></tr>
 *   <tr><td>section 2.2, YaRN</td><td>{@link RopeFrequencies}</td></tr>
 *   <tr><td>section 2.2, softmax over the chosen experts, which is the softmax over all, chosen and divided by its sum</td><td>{@link
 *       MixtureOfExperts#softmaxRouter}</td></tr>
 *   <tr><td>section 2.2, gated SwiGLU with clamping</td><td>{@link Activation.ClampedSwiglu}</td></tr>
 * </table>
 *
 * @param attentionBias whether q, k, v and o have biases
 * @param swigluAlpha steepness of the gate's sigmoid
 * @param swigluLimit where gate and up are clamped
 */
record GptOss(
        Backbone backbone,
        GroupedAttentionConfig attention,
        boolean attentionBias,
        RoutedExperts experts,
        float swigluAlpha,
        float swigluLimit,
        List<String> ignoredKeys)
        implements Architecture {

    private static final GroupedAttentionConfig.Defaults DEFAULTS = new GroupedAttentionConfig.Defaults(64, 150_000, 1);
    private static final int WINDOW = 128; // as published, and transformers' default

    static GptOss read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        config.ignore(
                "experts_per_token", "initial_context_length"); // num_experts_per_tok and the rope object say the same
        if (!config.has("rope_scaling") && !config.has("rope_parameters")) {
            throw config.wrong("rope_scaling", "YaRN, as published");
        }
        List<Integer> windows = SlidingWindows.some(config, backbone, layer -> layer % 2 == 0, WINDOW);
        return new GptOss(
                backbone,
                GroupedAttentionConfig.read(config, backbone, DEFAULTS, windows),
                config.flagOrTrue("attention_bias"),
                RoutedExperts.read(config, "num_local_experts", "intermediate_size", backbone.everyLayer()),
                config.positive("swiglu_alpha", 1.702f),
                config.positive("swiglu_limit", 7),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "gpt_oss";
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
            gqa.rotate();
            gqa.attendWithSinks(layer, name + ".self_attn.sinks");
            gqa.output(name + ".self_attn", bias);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            experts(decoder, moe, layer, name + ".mlp");
            decoder.addBlock();
        });
    }

    @Override
    public MlxStorage mlxStorage() {
        return MlxStorage.USUAL.withRouter(MlxStorage.Router.EIGHT_BITS).withExperts("experts");
    }

    private void experts(Decoder decoder, MixtureOfExperts moe, int layer, String name) {
        Projection gate = decoder.projection(name + ".router", Bias.ADDED, experts.count(), backbone.hidden());
        moe.route(layer, gate, null, moe.softmaxRouter(true));
        moe.experts(name + ".experts", Bias.ADDED, new Activation.ClampedSwiglu(swigluAlpha, swigluLimit));
    }

    static final GgufDialect GGUF = GgufDialect.of("gpt-oss", "gpt_oss")
            .tensors(GgufNames.dense()
                    .withExperts()
                    .with(Map.of(
                            "post_attention_norm", "post_attention_layernorm",
                            "attn_sinks.weight", "self_attn.sinks",
                            "ffn_gate_inp", "mlp.router")))
            .metadata(GptOss::fromGguf);

    /** The file does not say that layers alternate, nor the clamp, nor the unrounded YaRN range: they are fixed parts of the architecture. */
    private static void fromGguf(GgufConfig config) {
        config.wholeHeads()
                .number("expert_count", "num_local_experts")
                .number("expert_used_count", "num_experts_per_tok")
                .number("expert_feed_forward_length", "intermediate_size")
                .number("attention.sliding_window", "sliding_window")
                .put("attention_bias", true);
        if (config.scaling() != null) {
            config.scaling().put("truncate", false);
        }
    }
}
