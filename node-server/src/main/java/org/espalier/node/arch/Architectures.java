package org.espalier.node.arch;

import org.espalier.engine.program.Program;
import org.espalier.model.DeepseekV3Config;
import org.espalier.model.LlamaConfig;
import org.espalier.model.ModelConfig;
import org.espalier.node.weights.Weights;

/** Every architecture that is served. */
public final class Architectures {

    private Architectures() {}

    /** The program of a shard; fails by name on a tensor that is missing or has another shape than the config says. */
    public static Program program(ModelConfig config, Weights weights, LayerRange layers) {
        if (config instanceof LlamaConfig llama) {
            return new Llama(llama, weights).program(layers);
        }
        return new DeepseekV3((DeepseekV3Config) config, weights).program(layers);
    }
}
