package org.espalier.model;

import java.util.Arrays;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointException;

/** Adds up what the parts of a model weigh, from headers alone. */
public final class ModelSizes {
    private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d{1,6})\\..*");

    private ModelSizes() {}

    /**
     * Multi-token-prediction layers, which lie behind the last decoder layer, are not counted.
     *
     * @throws CheckpointException if a layer has no tensors, or a tensor has a type that is not computed with
     */
    public static ModelSize of(Model model) {
        Checkpoint checkpoint = model.checkpoint();
        ModelConfig config = model.config();
        long[] layers = new long[config.layers()];
        long embedding = 0;
        long norm = 0;
        long output = 0;
        for (String name : checkpoint.names()) {
            OptionalInt layer = layerOf(name);
            if (layer.isPresent()) {
                if (layer.getAsInt() < layers.length) {
                    layers[layer.getAsInt()] += checkpoint.tensor(name).bytes();
                }
            } else if (name.startsWith("model.embed_tokens.")) {
                embedding += checkpoint.tensor(name).bytes();
            } else if (name.startsWith("lm_head.")) {
                output += checkpoint.tensor(name).bytes();
            } else {
                norm += checkpoint.tensor(name).bytes();
            }
        }
        for (int i = 0; i < layers.length; i++) {
            if (layers[i] == 0) {
                throw new CheckpointException(checkpoint.path() + " has no tensors of layer " + i + ", the config says "
                        + layers.length + " layers");
            }
        }
        return new ModelSize(
                embedding,
                Arrays.stream(layers).boxed().toList(),
                norm + (config.tiedEmbeddings() ? embedding : output),
                config.cacheWidth() * Float.BYTES); // the wider of the two precisions
    }

    /** The checkpoint's index of the layer that a tensor belongs to. */
    static OptionalInt layerOf(String tensor) {
        Matcher matcher = LAYER.matcher(tensor);
        return matcher.matches() ? OptionalInt.of(Integer.parseInt(matcher.group(1))) : OptionalInt.empty();
    }
}
