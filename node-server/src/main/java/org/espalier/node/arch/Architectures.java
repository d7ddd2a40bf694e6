package org.espalier.node.arch;

import org.espalier.EspalierException;
import org.espalier.model.DeepseekV3Config;
import org.espalier.model.LlamaConfig;
import org.espalier.model.ModelConfig;

/** The one place that maps a config to its architecture. */
public final class Architectures {

    private Architectures() {}

    /** @throws EspalierException if the config asks for something that its architecture does not compute */
    public static Architecture of(ModelConfig config) {
        if (config instanceof LlamaConfig llama) {
            return new Llama(llama);
        }
        if (config instanceof DeepseekV3Config deepseek) {
            return new DeepseekV3(deepseek);
        }
        throw new EspalierException("the architecture " + config.architecture() + " is read but not computed yet");
    }
}
