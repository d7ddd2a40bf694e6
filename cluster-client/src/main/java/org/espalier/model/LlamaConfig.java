package org.espalier.model;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * {@code model_type: llama}, <a href="https://arxiv.org/abs/2407.21783">Llama 3</a>.
 *
 * @param heads H
 * @param kvHeads key and value heads; H where {@code num_key_value_heads} is absent
 * @param headWidth {@code head_dim}; D / H where absent
 * @param attentionBias whether q, k, v and o have biases
 * @param mlpBias whether gate, up and down have biases
 */
public record LlamaConfig(
        int layers,
        int hidden,
        int vocabulary,
        int context,
        Set<Integer> endOfSequence,
        boolean tiedEmbeddings,
        int intermediate,
        int heads,
        int kvHeads,
        int headWidth,
        float normEps,
        float ropeTheta,
        RopeScaling ropeScaling,
        boolean attentionBias,
        boolean mlpBias,
        List<String> ignoredKeys)
        implements ModelConfig {

    @Override
    public String architecture() {
        return "llama";
    }

    @Override
    public int cacheWidth() {
        return 2 * kvHeads * headWidth; // keys and values
    }

    @Override
    public Optional<Moe> moe() {
        return Optional.empty();
    }
}
