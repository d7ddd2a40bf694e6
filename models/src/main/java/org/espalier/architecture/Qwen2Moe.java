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
import org.espalier.config.SparseLayers;
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: qwen2_moe}, <a href="https://arxiv.org/abs/2407.10671">Qwen2</a>: {@link Qwen2} with routed experts and a shared one,
 * gated for each token.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2.2.2, eq. 1, p = softmax(G(x))</td><td>{@link MixtureOfExperts#softmaxRouter}</td></tr>
 *   <tr><td>section 2.2.2, eq. 2, y = sum of p_i E_i(x)</td><td>{@link MixtureOfExperts#experts}</td></tr>
 *   <tr><td>section 2.2.2, shared expert, times sigmoid(g x) in the published code</td><td>{@link
 *       MixtureOfExperts#gatedSharedExpert}</td></tr>
 * </table>
 *
 * @param qkvBias whether q, k and v have biases
 * @param intermediate width of the MLP in layers without experts
 * @param sharedIntermediate width of the shared expert
 * @param normalizeTopK whether the chosen weights are divided by their sum
 */
record Qwen2Moe(
        Backbone backbone,
        GroupedAttentionConfig attention,
        boolean qkvBias,
        int intermediate,
        RoutedExperts experts,
        int sharedIntermediate,
        boolean normalizeTopK,
        List<String> ignoredKeys)
        implements Architecture {

    static Qwen2Moe read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        int sliding = config.count("max_window_layers", 28);
        // transformers' own rule: every other of the first layers
        List<Integer> windows =
                SlidingWindows.someIfSwitchedOn(config, backbone, layer -> layer % 2 == 0 && layer < sliding);
        return new Qwen2Moe(
                backbone,
                GroupedAttentionConfig.read(config, backbone, windows),
                config.flagOrTrue("qkv_bias"),
                config.size("intermediate_size"),
                RoutedExperts.readQwen(config, SparseLayers.read(config, backbone)),
                config.size("shared_expert_intermediate_size"),
                config.flagOrFalse("norm_topk_prob"),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "qwen2_moe";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            gqa.project(name + ".self_attn", Bias.of(qkvBias));
            gqa.rotate();
            gqa.attend(layer);
            gqa.output(name + ".self_attn", Bias.NONE);
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

    /** Its weights are not normalized, as in all published models. */
    static final GgufDialect GGUF = GgufDialect.of("qwen2moe", "qwen2_moe")
            .tensors(GgufNames.dense()
                    .withExperts()
                    .withSharedExperts("shared_expert")
                    .with(Map.of("ffn_gate_inp_shexp", "mlp.shared_expert_gate")))
            .metadata(config -> config.wholeHeads()
                    .number("expert_count", "num_experts")
                    .number("expert_used_count", "num_experts_per_tok")
                    .number("expert_feed_forward_length", "moe_intermediate_size")
                    .number("expert_shared_feed_forward_length", "shared_expert_intermediate_size")
                    .put("norm_topk_prob", false));
}
