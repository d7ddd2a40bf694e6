package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Set;

/** A Hugging Face checkpoint: config.json and safetensors whose names are the published ones. */
final class SafetensorsCheckpoint implements Checkpoint {
    private final ObjectNode config;
    private final SafetensorsDirectory directory;

    SafetensorsCheckpoint(ObjectNode config, SafetensorsDirectory directory) {
        this.config = config;
        this.directory = directory;
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
        return Collections.unmodifiableSet(directory.entries().keySet());
    }

    @Override
    public Tensor tensor(String name) {
        return directory.plain(name);
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
