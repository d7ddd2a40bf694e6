package org.espalier.model;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * {@code model_type: deepseek_v3}, <a href="https://arxiv.org/abs/2412.19437">DeepSeek-V3</a>.
 *
 * @param intermediate width of the dense layers' MLP
 * @param heads H
 * @param queryRank {@code q_lora_rank}; 0 where null: queries are projected in one step
 * @param kvRank {@code kv_lora_rank}, width of the cached latent
 * @param nope {@code qk_nope_head_dim}
 * @param rope {@code qk_rope_head_dim}
 * @param value {@code v_head_dim}
 * @param experts E, {@code n_routed_experts}
 * @param expertsPerToken K
 * @param sharedExperts {@code n_shared_experts}; one MLP of that many times the expert width
 * @param expertIntermediate {@code moe_intermediate_size}
 * @param firstDense {@code first_k_dense_replace}
 * @param groups {@code n_group}
 * @param topGroups {@code topk_group}
 * @param nextTokenLayers {@code num_nextn_predict_layers}; listed, not loaded
 */
public record DeepseekV3Config(
        int layers,
        int hidden,
        int vocabulary,
        int context,
        Set<Integer> endOfSequence,
        boolean tiedEmbeddings,
        int intermediate,
        int heads,
        int queryRank,
        int kvRank,
        int nope,
        int rope,
        int value,
        int experts,
        int expertsPerToken,
        int sharedExperts,
        int expertIntermediate,
        int firstDense,
        int groups,
        int topGroups,
        boolean normalizeTopK,
        float routedScaling,
        float normEps,
        float ropeTheta,
        RopeScaling ropeScaling,
        boolean attentionBias,
        int nextTokenLayers,
        List<String> ignoredKeys)
        implements ModelConfig {

    /** Sizes are required, although transformers has defaults for them: those are the 671B model's. */
    static DeepseekV3Config read(ConfigReader config) {
        int layers = config.number("num_hidden_layers", 1, MAX_LAYERS);
        int experts = config.number("n_routed_experts", 1, Short.MAX_VALUE); // ids travel in 16 bits
        int groups = config.size("n_group");
        int topGroups = config.size("topk_group");
        int perToken = config.size("num_experts_per_tok");
        config.require(experts % groups == 0, "n_group", "a divisor of n_routed_experts, " + experts);
        config.require(experts / groups > 1, "n_group", "groups of two experts or more: the two best score a group");
        config.require(topGroups <= groups, "topk_group", "at most n_group, " + groups);
        config.require(
                perToken <= experts / groups * topGroups,
                "num_experts_per_tok",
                "at most the experts of the kept groups, " + experts / groups * topGroups);
        config.only("hidden_act", "silu");
        config.only("topk_method", "noaux_tc");
        config.only("scoring_func", "sigmoid");
        config.only("moe_layer_freq", 1);
        config.absent("sliding_window");
        config.absent("use_sliding_window");
        config.absent("layer_types");
        config.absent("index_topk"); // DeepSeek V3.2's sparse attention
        boolean interleaved = config.flag("rope_interleave", true);
        if (!interleaved) {
            throw config.notComputed("rope_interleave", false, true);
        }
        int rope = config.number("qk_rope_head_dim", 2, MAX_HEAD_WIDTH);
        config.require(rope % 2 == 0, "qk_rope_head_dim", "an even number, since rope turns pairs");
        RopeReader positions = RopeReader.read(config, Set.of("default", "yarn"));
        int nextTokenLayers = config.count("num_mtp_layers", 1);
        return new DeepseekV3Config(
                layers,
                config.size("hidden_size"),
                config.size("vocab_size"),
                config.size("max_position_embeddings"),
                config.ids("eos_token_id", Set.of(1)),
                config.flag("tie_word_embeddings", false),
                config.size("intermediate_size"),
                config.number("num_attention_heads", 1, MAX_HEADS),
                config.size("q_lora_rank", 0),
                config.size("kv_lora_rank"),
                config.number("qk_nope_head_dim", 1, MAX_HEAD_WIDTH),
                rope,
                config.number("v_head_dim", 1, MAX_HEAD_WIDTH),
                experts,
                perToken,
                config.count("n_shared_experts"),
                config.size("moe_intermediate_size"),
                config.number("first_k_dense_replace", 0, layers),
                groups,
                topGroups,
                config.flag("norm_topk_prob"),
                config.positive("routed_scaling_factor"),
                config.positive("rms_norm_eps"),
                positions.theta(),
                positions.scaling(),
                config.flag("attention_bias", false),
                config.count("num_nextn_predict_layers", nextTokenLayers),
                config.ignoredKeys(positions));
    }

    @Override
    public String architecture() {
        return "deepseek_v3";
    }

    @Override
    public int cacheWidth() {
        return kvRank + rope; // the latent and the shared rope key
    }

    @Override
    public Optional<Moe> moe() {
        List<Integer> routed = IntStream.range(firstDense, layers).boxed().toList();
        return routed.isEmpty() ? Optional.empty() : Optional.of(new Moe(experts, expertsPerToken, routed));
    }
}
