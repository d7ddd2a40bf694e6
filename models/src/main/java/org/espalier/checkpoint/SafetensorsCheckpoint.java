package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;

/** A Hugging Face checkpoint: config.json and safetensors whose names are the published ones. */
final class SafetensorsCheckpoint implements Checkpoint {
    private final ObjectNode config;
    private final SafetensorsDirectory directory;
    private final HfQuantization quantization;
    private final Set<String> names;

    SafetensorsCheckpoint(ObjectNode config, SafetensorsDirectory directory) {
        this.config = config;
        this.directory = directory;
        this.quantization = new HfQuantization(directory, config);
        Set<String> found = new LinkedHashSet<>();
        for (String name : directory.entries().keySet()) {
            if (!quantization.isPart(name)) {
                found.add(quantization.published(name));
            }
        }
        this.names = Collections.unmodifiableSet(found);
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
        return names;
    }

    @Override
    public Tensor tensor(String name) {
        if (!names.contains(name)) {
            throw new CheckpointException(path() + " has no tensor " + name + quantization.hint());
        }
        return quantization.tensor(name);
    }

    @Override
    public RopePairing ropePairing(RopePairing published) {
        return published;
    }

    @Override
    public long bytes() {
        return directory.bytes();
    }
}
