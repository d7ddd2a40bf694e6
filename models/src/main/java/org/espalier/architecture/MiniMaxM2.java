package org.espalier.architecture;

import static org.espalier.config.GroupedAttentionConfig.fullAttention;

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
 * {@code model_type: minimax_m2}, <a href="https://huggingface.co/MiniMaxAI/MiniMax-M2">MiniMax-M2</a>: every layer has grouped-query
 * attention and experts, none of them shared. The modules for multi-token prediction are not part of the program.
 *
 * <table>
 *   <caption>transformers' modeling_minimax_m2 and method</caption>
 *   <tr><td>MiniMaxM2Attention, q and k normed over all heads at once</td><td>{@link GroupedQueryAttention#projectNormed}</td></tr>
 *   <tr><td>the same, {@code rotary_dim} columns of each head rotate</td><td>{@link GroupedQueryAttention#rotate}</td></tr>
 *   <tr><td>MiniMaxM2TopKRouter, a sigmoid for each expert, bias for the choice only</td><td>{@link MixtureOfExperts#sigmoidRouter}</td></tr>
 * </table>
 *
 * @param experts in every layer; their weights are always normalized
 */
record MiniMaxM2(Backbone backbone, GroupedAttentionConfig attention, RoutedExperts experts, List<String> ignoredKeys)
        implements Architecture {

    private static final float THETA = 5_000_000;
    private static final int SOFTMAX_ATTENTION = 1; // in attn_type_list; 0 is the linear attention of MiniMax-01

    static MiniMaxM2 read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(200_020));
        config.absent("sliding_window");
        config.only("scoring_func", "sigmoid");
        config.only("qk_norm_type", "per_layer");
        config.onlyTrue("use_qk_norm");
        config.onlyTrue("use_routing_bias");
        config.only("shared_intermediate_size", 0);
        config.onlyEach("attn_type_list", SOFTMAX_ATTENTION);
        for (String block : List.of("full_attention", "linear_attention", "mlp")) {
            config.only("layernorm_" + block + "_beta", 1);
        }
        config.ignore("router_jitter_noise", "shared_moe_mode", "mlp_intermediate_size", "max_model_len");
        config.ignore("use_mtp", "num_mtp_modules", "mtp_transformer_layers");
        return new MiniMaxM2(
                backbone,
                GroupedAttentionConfig.read(config, backbone, defaults(config), fullAttention(backbone)),
                RoutedExperts.read(config, "num_local_experts", "intermediate_size", backbone.everyLayer()),
                config.ignoredKeys());
    }

    /** Of each head's columns {@code rotary_dim} rotate, where {@code partial_rotary_factor} says nothing else. */
    private static GroupedAttentionConfig.Defaults defaults(ConfigReader config) {
        float headWidth = config.size("head_dim");
        return new GroupedAttentionConfig.Defaults(0, THETA, config.size("rotary_dim") / headWidth);
    }

    @Override
    public String modelType() {
        return "minimax_m2";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts);
        Router router = moe.sigmoidRouter(GroupLimit.NONE, true, 1);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            gqa.projectNormed(name + ".self_attn", Bias.NONE);
            gqa.rotate();
            gqa.attend(layer);
            gqa.output(name + ".self_attn", Bias.NONE);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            String block = name + ".block_sparse_moe";
            moe.routeWithCorrection(layer, block + ".gate", block + ".e_score_correction_bias", router);
            moe.experts(block + ".experts");
            decoder.addBlock();
        });
    }

    @Override
    public MlxStorage mlxStorage() {
        return MlxStorage.USUAL.withRouter(MlxStorage.Router.EIGHT_BITS);
    }

    private static final int SIGMOID = 2; // gguf-py's ExpertGatingFuncType

    static final GgufDialect GGUF = GgufDialect.of("minimax-m2", "minimax_m2")
            .tensors(GgufNames.dense()
                    .withHeadNorms()
                    .with(Map.of(
                            "ffn_gate_inp", "block_sparse_moe.gate",
                            "ffn_gate_exps", "block_sparse_moe.experts.*.gate_proj",
                            "ffn_up_exps", "block_sparse_moe.experts.*.up_proj",
                            "ffn_down_exps", "block_sparse_moe.experts.*.down_proj",
                            "exp_probs_b.bias", "block_sparse_moe.e_score_correction_bias")))
            .metadata(MiniMaxM2::fromGguf);

    private static void fromGguf(GgufConfig config) {
        config.only("expert_gating_func", SIGMOID);
        config.heads()
                .number("rope.dimension_count", "rotary_dim")
                .number("expert_count", "num_local_experts")
                .number("expert_used_count", "num_experts_per_tok")
                .number("expert_feed_forward_length", "intermediate_size");
    }
}
