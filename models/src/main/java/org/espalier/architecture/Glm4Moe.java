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
import org.espalier.config.GroupLimit;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.RoutedExperts;
import org.espalier.program.Program;
import org.espalier.program.Router;
import org.espalier.slice.Member;

/**
 * {@code model_type: glm4_moe}, <a href="https://arxiv.org/abs/2508.06471">GLM-4.5</a>: grouped-query attention with the experts and the
 * router of {@link DeepseekV3}. The multi-token-prediction layer is not part of the program.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2.1, sigmoid gates and loss-free balance routing</td><td>{@link MixtureOfExperts#sigmoidRouter}</td></tr>
 *   <tr><td>section 2.1, grouped-query attention with partial RoPE: half of each head rotates</td><td>{@link GroupedQueryAttention#rotate}</td></tr>
 *   <tr><td>section 2.1, QK-Norm</td><td>{@link GroupedQueryAttention#normHeads}</td></tr>
 * </table>
 *
 * @param attentionBias whether q, k and v have biases
 * @param headNorm whether each head of q and k is normed
 * @param intermediate width of the dense layers' MLP
 * @param firstDense {@code first_k_dense_replace}
 * @param sharedExperts {@code n_shared_experts}; one MLP of that many times the expert width
 * @param normalizeTopK whether the chosen weights are divided by their sum
 * @param nextTokenLayers {@code num_nextn_predict_layers}; recognized, but not loaded
 */
record Glm4Moe(
        Backbone backbone,
        GroupedAttentionConfig attention,
        boolean attentionBias,
        boolean headNorm,
        int intermediate,
        int firstDense,
        RoutedExperts experts,
        int sharedExperts,
        GroupLimit limit,
        boolean normalizeTopK,
        float routedScaling,
        int nextTokenLayers,
        List<String> ignoredKeys)
        implements Architecture {

    private static final GroupedAttentionConfig.Defaults DEFAULTS =
            new GroupedAttentionConfig.Defaults(0, 10_000, 0.5f);

    static Glm4Moe read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        config.absent("sliding_window");
        int firstDense = config.number("first_k_dense_replace", 0, backbone.layers());
        RoutedExperts experts = RoutedExperts.read(
                config, "n_routed_experts", "moe_intermediate_size", backbone.layersFrom(firstDense));
        List<Integer> windows = GroupedAttentionConfig.fullAttention(backbone);
        int nextTokenLayers = config.count("num_mtp_layers", 1);
        return new Glm4Moe(
                backbone,
                GroupedAttentionConfig.read(config, backbone, DEFAULTS, windows),
                config.flagOrFalse("attention_bias"),
                config.flagOrFalse("use_qk_norm"),
                config.size("intermediate_size"),
                firstDense,
                experts,
                config.count("n_shared_experts"),
                GroupLimit.readForPairs(config, experts),
                config.flagOrTrue("norm_topk_prob"),
                config.positive("routed_scaling_factor"),
                config.count("num_nextn_predict_layers", nextTokenLayers),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "glm4_moe";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts);
        Router router = moe.sigmoidRouter(limit, normalizeTopK, routedScaling);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            gqa.project(name + ".self_attn", Bias.of(attentionBias));
            if (headNorm) {
                gqa.normHeads(name + ".self_attn");
            }
            gqa.rotate();
            gqa.attend(layer);
            gqa.output(name + ".self_attn", Bias.NONE);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            if (layer < firstDense) {
                decoder.mlp(name + ".mlp", intermediate);
            } else {
                moe.routeWithCorrection(layer, name + ".mlp.gate", router);
                moe.experts(name + ".mlp.experts");
                moe.sharedExperts(name + ".mlp.shared_experts", sharedExperts);
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
    static final GgufDialect GGUF = GgufDialect.of("glm4moe", "glm4_moe")
            .tensors(GgufNames.dense()
                    .withHeadNorms()
                    .withExperts()
                    .withSharedExperts("shared_experts")
                    .withNextToken()
                    .with(Map.of(
                            "post_attention_norm", "post_attention_layernorm",
                            "exp_probs_b.bias", "mlp.gate.e_score_correction_bias")))
            .metadata(Glm4Moe::fromGguf);

    private static void fromGguf(GgufConfig config) {
        config.only("expert_gating_func", SIGMOID);
        long headWidth = config.headWidth();
        if (headWidth > 0) {
            double rotated = config.whole("rope.dimension_count", headWidth);
            config.put("partial_rotary_factor", rotated / headWidth);
        }
        config.heads()
                .deepseekExperts()
                .nextTokenLayers()
                .put("n_group", config.whole("expert_group_count", 1))
                .put("topk_group", config.whole("expert_group_used_count", 1))
                .put("norm_topk_prob", config.flagOrTrue("expert_weights_norm"))
                .put("attention_bias", config.holds("blk.0.attn_q.bias"))
                .put("use_qk_norm", config.holds("blk.0.attn_q_norm.weight"));
    }
}
