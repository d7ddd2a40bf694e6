package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.espalier.program.Rope;
import org.espalier.weights.Weight;

/** A Hugging Face checkpoint: config.json and safetensors. */
final class SafetensorsCheckpoint implements Checkpoint {
    private final ObjectNode config;
    private final SafetensorsDirectory directory;
    private final HfQuantization quantization;
    private final NamedWeights weights;

    SafetensorsCheckpoint(ObjectNode config, SafetensorsDirectory directory) {
        this.config = config;
        this.directory = directory;
        this.quantization = new HfQuantization(directory, config);
        this.weights = new NamedWeights(directory.path(), quantization.hint());
        HfExperts experts = new HfExperts(directory.path(), config);
        for (String tensor : directory.entries().keySet()) {
            if (!quantization.isPart(tensor)) {
                String name = quantization.published(tensor);
                experts.published(TextNames.published(name))
                        .forEach((published, change) ->
                                weights.put(published, tensor, () -> change.apply(quantization.weight(name))));
            }
        }
    }

    @Override
    public Path path() {
        return directory.path();
    }

    @Override
    public Layout layout() {
        return Layout.SAFETENSORS;
    }

    @Override
    public ObjectNode config() {
        return config.deepCopy();
    }

    @Override
    public Set<String> names() {
        return weights.names();
    }

    @Override
    public Weight weight(String name) {
        return weights.get(name);
    }

    @Override
    public Rope.Pairing ropePairing(Rope.Pairing published) {
        return published;
    }

    @Override
    public List<StoredTensor> tensors() {
        return directory.tensors().stream()
                .filter(tensor -> !quantization.repeatsShape(tensor.name()))
                .toList();
    }
}
