package org.espalier.architecture;

import org.espalier.EspalierException;
import org.espalier.model.DeepseekV2Config;
import org.espalier.model.DeepseekV3Config;
import org.espalier.model.Glm4MoeConfig;
import org.espalier.model.GptOssConfig;
import org.espalier.model.LlamaConfig;
import org.espalier.model.MistralConfig;
import org.espalier.model.MixtralConfig;
import org.espalier.model.ModelConfig;
import org.espalier.model.OlmoeConfig;
import org.espalier.model.Qwen2Config;
import org.espalier.model.Qwen2MoeConfig;
import org.espalier.model.Qwen3Config;
import org.espalier.model.Qwen3MoeConfig;

/** The one place that maps a config to its architecture. */
public final class Architectures {

    private Architectures() {}

    /** @throws EspalierException if there is no file for the config's architecture */
    public static Architecture of(ModelConfig config) {
        if (config instanceof DeepseekV2Config deepseek) {
            return new DeepseekV2(deepseek);
        }
        if (config instanceof DeepseekV3Config deepseek) {
            return new DeepseekV3(deepseek);
        }
        if (config instanceof Glm4MoeConfig glm) {
            return new Glm4Moe(glm);
        }
        if (config instanceof GptOssConfig gpt) {
            return new GptOss(gpt);
        }
        if (config instanceof LlamaConfig llama) {
            return new Llama(llama);
        }
        if (config instanceof MistralConfig mistral) {
            return new Mistral(mistral);
        }
        if (config instanceof MixtralConfig mixtral) {
            return new Mixtral(mixtral);
        }
        if (config instanceof OlmoeConfig olmoe) {
            return new Olmoe(olmoe);
        }
        if (config instanceof Qwen2Config qwen) {
            return new Qwen2(qwen);
        }
        if (config instanceof Qwen2MoeConfig qwen) {
            return new Qwen2Moe(qwen);
        }
        if (config instanceof Qwen3Config qwen) {
            return new Qwen3(qwen);
        }
        if (config instanceof Qwen3MoeConfig qwen) {
            return new Qwen3Moe(qwen);
        }
        throw new EspalierException("the architecture " + config.architecture() + " is read but not computed yet");
    }
}
