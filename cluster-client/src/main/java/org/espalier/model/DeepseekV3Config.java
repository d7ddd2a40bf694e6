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
