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
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: olmoe}, <a href="https://arxiv.org/abs/2409.02060">OLMoE</a>: experts in every layer.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2, eq. 1, dropless token choice, softmax over all experts</td><td>{@link MixtureOfExperts#softmaxRouter}</td></tr>
 *   <tr><td>section 2, QK-Norm, over all heads at once</td><td>{@link GroupedQueryAttention#projectNormed}</td></tr>
 * </table>
 *
 * @param attentionBias whether q, k, v and o have biases
 * @param normalizeTopK whether the chosen weights are divided by their sum
 */
record Olmoe(
        Backbone backbone,
        GroupedAttentionConfig attention,
        boolean attentionBias,
        RoutedExperts experts,
        boolean normalizeTopK,
        List<String> ignoredKeys)
        implements Architecture {

    static Olmoe read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(50_279));
        config.absent("clip_qkv");
        config.absent("sliding_window");
        return new Olmoe(
                backbone,
                GroupedAttentionConfig.read(config, backbone),
                config.flagOrFalse("attention_bias"),
                RoutedExperts.read(config, "num_experts", "intermediate_size", backbone.everyLayer()),
                config.flagOrFalse("norm_topk_prob"),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "olmoe";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts);
        Bias bias = Bias.of(attentionBias);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            gqa.projectNormed(name + ".self_attn", bias);
            gqa.rotate();
            gqa.attend(layer);
            gqa.output(name + ".self_attn", bias);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            moe.route(layer, name + ".mlp.gate", moe.softmaxRouter(normalizeTopK));
            moe.experts(name + ".mlp.experts");
            decoder.addBlock();
        });
    }

    /** Its weights are not normalized, as in all published models. */
    static final GgufDialect GGUF = GgufDialect.of("olmoe", "olmoe")
            .tensors(GgufNames.dense().withHeadNorms().withExperts())
            .metadata(config -> config.wholeHeads()
                    .number("expert_count", "num_experts")
                    .number("expert_used_count", "num_experts_per_tok")
                    .put("norm_topk_prob", false));
}
