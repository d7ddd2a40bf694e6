package org.espalier.model;

import java.util.Optional;

/** The config of a mixture of experts. */
public sealed interface MoeConfig extends ModelConfig
        permits DeepseekV2Config,
                DeepseekV3Config,
                Glm4MoeConfig,
                GptOssConfig,
                MixtralConfig,
                OlmoeConfig,
                Qwen2MoeConfig,
                Qwen3MoeConfig {

    RoutedExperts experts();

    @Override
    default Optional<Moe> moe() {
        return experts().moe();
    }
}
