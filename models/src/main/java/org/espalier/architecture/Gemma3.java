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
import org.espalier.config.Heads;
import org.espalier.config.Positions;
import org.espalier.config.SlidingWindows;
import org.espalier.program.Activation;
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: gemma3_text}, <a href="https://arxiv.org/abs/2503.19786">Gemma 3</a>.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2, norms before and after each block, whose weights are zero-centred</td><td>{@link Decoder#addNormedBlock}, {@link
 *       NormWeight}</td></tr>
 *   <tr><td>section 2, QK-norm</td><td>{@link GroupedQueryAttention#normHeads}</td></tr>
 *   <tr><td>section 2, five layers with a window to one without</td><td>{@link #PATTERN}</td></tr>
 *   <tr><td>section 2, a base of 1M for rope in the layers without a window, 10k in the others</td><td>{@link #read}</td></tr>
 *   <tr><td><a href="https://arxiv.org/abs/2403.08295">Gemma</a>, section 2, GeGLU</td><td>{@link Activation#GELU}</td></tr>
 * </table>
 *
 * @param attention of the layers without a window
 * @param sliding of those with one
 * @param slidingLayers which these are
 * @param attentionBias whether q, k, v and o have biases
 * @param intermediate width of the MLP
 * @param logitCap see {@link org.espalier.program.Logits}
 */
record Gemma3(
        Backbone backbone,
        GroupedAttentionConfig attention,
        GroupedAttentionConfig sliding,
        List<Integer> slidingLayers,
        boolean attentionBias,
        int intermediate,
        float logitCap,
        List<String> ignoredKeys)
        implements Architecture {

    private static final int PATTERN = 6; // transformers' default; the last of each six layers has no window
    private static final int WINDOW = 4096; // transformers' default
    private static final int HEAD_WIDTH = 256; // transformers' default
    private static final int QUERY_SCALAR = 256; // transformers' default
    private static final float THETA = 1_000_000;
    private static final float SLIDING_THETA = 10_000;
    private static final Set<String> ROPES = Set.of("default", "linear", "llama3", "yarn");

    static Gemma3 read(ConfigReader config) {
        Backbone backbone = Backbone.readGemma(config);
        config.absent("attn_logit_softcapping");
        config.absent("use_bidirectional_attention");
        Heads heads = Heads.read(config, "num_key_value_heads", "head_dim", HEAD_WIDTH);
        float scale = (float) (1 / Math.sqrt(config.positive("query_pre_attn_scalar", QUERY_SCALAR)));
        int pattern = config.size("_sliding_window_pattern", config.size("sliding_window_pattern", PATTERN));
        List<Integer> sliding = SlidingWindows.layers(config, backbone, layer -> (layer + 1) % pattern != 0);
        List<Integer> windows = SlidingWindows.windows(config, backbone, sliding, WINDOW);
        float slidingTheta = config.positive("rope_local_base_freq", SLIDING_THETA);
        boolean byLayer = config.has("rope_parameters");
        Positions far = byLayer
                ? Positions.ofLayers(config, "full_attention", heads.width(), THETA, ROPES)
                : Positions.read(config, heads.width(), THETA, ROPES);
        Positions near = Positions.ofLayers(config, "sliding_attention", heads.width(), slidingTheta, ROPES);
        return new Gemma3(
                backbone,
                GroupedAttentionConfig.of(heads, scale, far, windows),
                GroupedAttentionConfig.of(heads, scale, near, windows),
                sliding,
                config.flagOrFalse("attention_bias"),
                config.size("intermediate_size"),
                config.has("final_logit_softcapping") ? config.positive("final_logit_softcapping") : 0,
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "gemma3_text";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        boolean gains = checkpoint.layout() == Checkpoint.Layout.GGUF;
        NormWeight norms = gains ? NormWeight.GAIN : NormWeight.GAIN_LESS_ONE;
        Decoder decoder = new Decoder(backbone, checkpoint, member, norms)
                .withScaledEmbedding()
                .withCappedLogits(logitCap);
        GroupedQueryAttention far = new GroupedQueryAttention(decoder, attention);
        GroupedQueryAttention near = new GroupedQueryAttention(decoder, sliding);
        Bias bias = Bias.of(attentionBias);
        return decoder.program((layer, name) -> {
            GroupedQueryAttention gqa = slidingLayers.contains(layer) ? near : far;
            decoder.normResidual(name + ".input_layernorm");
            gqa.project(name + ".self_attn", bias);
            gqa.normHeads(name + ".self_attn");
            gqa.rotate();
            gqa.attend(layer);
            gqa.output(name + ".self_attn", bias);
            decoder.addNormedBlock(name + ".post_attention_layernorm");

            decoder.normResidual(name + ".pre_feedforward_layernorm");
            decoder.mlp(name + ".mlp", intermediate, Activation.GELU);
            decoder.addNormedBlock(name + ".post_feedforward_layernorm");
        });
    }

    static final GgufDialect GGUF = GgufDialect.of("gemma3", "gemma3_text")
            .tensors(GgufNames.dense()
                    .withHeadNorms()
                    .with(Map.of(
                            "post_attention_norm", "post_attention_layernorm",
                            "ffn_norm", "pre_feedforward_layernorm",
                            "post_ffw_norm", "post_feedforward_layernorm")))
            .metadata(Gemma3::fromGguf);

    private static final long LAYERS_27B = 62;

    /**
     * The file does not say which layers have the window, nor the attention's scale, nor, if it is older, the base of those layers' rope:
     * they are fixed parts of the architecture. Only the 27B model scales by D / H instead of a head's width, and is known by its layers.
     */
    private static void fromGguf(GgufConfig config) {
        boolean largest = config.whole("block_count", 0) == LAYERS_27B;
        long perHead = config.whole("embedding_length", 0) / Math.max(1, config.whole("attention.head_count", 1));
        config.wholeHeads()
                .put("query_pre_attn_scalar", largest ? perHead : config.headWidth())
                .number("attention.sliding_window", "sliding_window")
                .number("rope.freq_base_swa", "rope_local_base_freq")
                .number("final_logit_softcapping", "final_logit_softcapping")
                .put("hidden_act", "gelu_pytorch_tanh");
    }
}
