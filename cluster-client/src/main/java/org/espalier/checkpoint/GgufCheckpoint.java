package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A model in one GGUF file, answered by the published names. */
final class GgufCheckpoint implements Checkpoint {
    private final GgufFile file;
    private final GgufArchitecture architecture;
    private final ObjectNode config;
    private final Map<String, GgufFile.Info> tensors = new LinkedHashMap<>();

    GgufCheckpoint(GgufFile file) {
        this.file = file;
        requireWhole(file);
        this.architecture = GgufArchitecture.of(file);
        for (GgufFile.Info info : file.tensors().values()) {
            if (info.name().equals(GgufRopeDivisors.TENSOR)) {
                continue; // part of the config
            }
            String name = architecture
                    .publishedName(info.name())
                    .orElseThrow(() -> new CheckpointException(
                            file.path() + " has the tensor " + info.name() + ", which the architecture "
                                    + file.text("general.architecture") + " does not compute with"));
            tensors.put(name, info);
        }
        this.config = architecture.config(file);
    }

    private static void requireWhole(GgufFile file) {
        if (file.metadata().get("split.count") instanceof Number parts && parts.longValue() > 1) {
            throw new CheckpointException(file.path() + " is one of " + parts
                    + " parts: merge them into one file (llama-gguf-split --merge)");
        }
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public Layout layout() {
        return Layout.GGUF;
    }

    @Override
    public ObjectNode config() {
        return config.deepCopy();
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    @Override
    public Tensor tensor(String name) {
        GgufFile.Info info = tensors.get(name);
        if (info == null) {
            throw new CheckpointException(file.path() + " has no tensor " + name);
        }
        TensorFormat format = GgmlType.of(info.type())
                .flatMap(GgmlType::format)
                .orElseThrow(() -> new CheckpointException(file.path() + ": tensor " + info.name() + " is of type "
                        + GgmlType.of(info.type()).map(Enum::name).orElse("number " + info.type())
                        + ", which is not computed with, expected one of " + GgmlType.served()));
        List<Integer> shape = Shapes.of(file.path() + ": tensor " + info.name(), info.shape());
        var values = new Tensor.Extent(file.path(), info.offset(), format.rowBytes(shape.get(shape.size() - 1)));
        return new Tensor(name, shape, format, values, null, null);
    }

    @Override
    public RopePairing ropePairing(RopePairing published) {
        return architecture.ropePairing(published);
    }

    @Override
    public long bytes() {
        return tensors.values().stream()
                .mapToLong(info -> info.bytes().orElse(0L))
                .sum();
    }

    @Override
    public Map<String, Object> metadata() {
        return file.metadata();
    }
}
