package org.espalier.architecture;

import java.util.List;
import java.util.Set;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GroupLimit;
import org.espalier.config.LatentAttentionConfig;
import org.espalier.config.RoutedExperts;
import org.espalier.config.SparseLayers;
import org.espalier.program.Program;
import org.espalier.program.Router;
import org.espalier.slice.Member;

/**
 * {@code model_type: glm4_moe_lite}, <a href="https://huggingface.co/zai-org/GLM-4.7-Flash">GLM-4.7-Flash</a>: the experts and the router of
 * {@link Glm4Moe} over the multi-head latent attention of {@link DeepseekV3}. The multi-token-prediction layer is not part of the program.
 *
 * <table>
 *   <caption>transformers' modeling_glm4_moe_lite and method</caption>
 *   <tr><td>Glm4MoeLiteAttention, interleaved rope</td><td>{@link MultiHeadLatentAttention}</td></tr>
 *   <tr><td>Glm4MoeLiteTopkRouter, a sigmoid for each expert, bias for the choice only</td><td>{@link MixtureOfExperts#sigmoidRouter}</td></tr>
 *   <tr><td>Glm4MoeLiteMoE, shared and routed experts</td><td>{@link MixtureOfExperts#sharedExperts}</td></tr>
 * </table>
 *
 * @param intermediate width of the dense layers' MLP
 * @param experts in the layers that {@code mlp_layer_types} names; {@code first_k_dense_replace} does not count, as in transformers
 * @param sharedExperts {@code n_shared_experts}; one MLP of that many times the expert width
 * @param normalizeTopK whether the chosen weights are divided by their sum
 */
record Glm4MoeLite(
        Backbone backbone,
        LatentAttentionConfig attention,
        int intermediate,
        RoutedExperts experts,
        int sharedExperts,
        GroupLimit limit,
        boolean normalizeTopK,
        float routedScaling,
        List<String> ignoredKeys)
        implements Architecture {

    static Glm4MoeLite read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(1));
        config.only("topk_method", "noaux_tc");
        config.only("scoring_func", "sigmoid");
        config.ignore("first_k_dense_replace", "num_nextn_predict_layers");
        RoutedExperts experts = RoutedExperts.read(
                config, "n_routed_experts", "moe_intermediate_size", SparseLayers.named(config, backbone));
        return new Glm4MoeLite(
                backbone,
                LatentAttentionConfig.read(config),
                config.size("intermediate_size"),
                experts,
                config.count("n_shared_experts"),
                GroupLimit.readForPairs(config, experts),
                config.flagOrTrue("norm_topk_prob"),
                config.positive("routed_scaling_factor"),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "glm4_moe_lite";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        MultiHeadLatentAttention mla = new MultiHeadLatentAttention(decoder, attention);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts);
        Router router = moe.sigmoidRouter(limit, normalizeTopK, routedScaling);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            mla.query(name + ".self_attn");
            mla.latent(name + ".self_attn");
            mla.attend(name + ".self_attn");
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            if (experts.layers().contains(layer)) {
                moe.routeWithCorrection(layer, name + ".mlp.gate", router);
                moe.experts(name + ".mlp.experts");
                moe.sharedExperts(name + ".mlp.shared_experts", sharedExperts);
            } else {
                decoder.mlp(name + ".mlp", intermediate);
            }
            decoder.addBlock();
        });
    }

    @Override
    public MlxStorage mlxStorage() {
        return MlxStorage.USUAL.withRouter(MlxStorage.Router.FLOATS).withCut(attention);
    }
}
