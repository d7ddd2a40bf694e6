package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A model in one GGUF file or several parts, answered by the published names. */
final class GgufCheckpoint implements Checkpoint {
    /** Routing carries expert ids in 16 bits. */
    private static final long MAX_EXPERTS = Short.MAX_VALUE;

    /** DeepSeek V3 has 45 thousand. */
    private static final int MAX_NAMES = 1 << 20;

    private final GgufFile file;
    private final GgufDialect dialect;
    private final ObjectNode config;
    private final Map<String, Stored> tensors = new LinkedHashMap<>();
    private final long bytes;

    /** @param expert the element of a stack, or -1 for all of the tensor */
    private record Stored(GgufFile.Info info, int expert) {}

    /** @param parts the first has the metadata */
    GgufCheckpoint(List<GgufFile> parts, GgufDialects dialects) {
        Map<String, GgufFile.Info> all = new LinkedHashMap<>();
        for (GgufFile part : parts) {
            for (GgufFile.Info info : part.tensors().values()) {
                if (all.put(info.name(), info) != null) {
                    throw new CheckpointException("tensor " + info.name() + " is in two parts of "
                            + parts.get(0).path());
                }
            }
        }
        this.file = new GgufFile(parts.get(0).path(), parts.get(0).metadata(), all);
        this.dialect = dialects.of(file);
        long total = 0;
        for (GgufFile part : parts) {
            for (GgufFile.Info info : part.tensors().values()) {
                if (!info.name().equals(GgufRopeDivisors.TENSOR)) { // that one is part of the config
                    put(info);
                    total += info.bytes().orElse(0L);
                }
            }
        }
        this.bytes = total;
        this.config = dialect.config(file);
    }

    private void put(GgufFile.Info info) {
        String name = dialect.names()
                .published(info.name())
                .orElseThrow(() -> new CheckpointException(info.file() + " has the tensor " + info.name()
                        + ", which the architecture " + dialect.name() + " does not compute with"));
        int every = name.indexOf(GgufNames.EVERY);
        if (every < 0) {
            putOnce(name, new Stored(info, -1));
            return;
        }
        if (info.shape().size() != 3 || info.shape().get(0) > MAX_EXPERTS) {
            throw new CheckpointException(info.file() + ": tensor " + info.name() + " has the shape " + info.shape()
                    + ", expected a stack of 1 to " + MAX_EXPERTS + " matrices");
        }
        for (int expert = 0; expert < info.shape().get(0); expert++) {
            putOnce(
                    name.substring(0, every) + expert + name.substring(every + GgufNames.EVERY.length()),
                    new Stored(info, expert));
        }
    }

    private void putOnce(String name, Stored stored) {
        Stored other = tensors.putIfAbsent(name, stored);
        if (other != null) {
            throw new CheckpointException(stored.info.file() + " has both " + other.info.name() + " and "
                    + stored.info.name() + " for the tensor " + name);
        }
        if (tensors.size() > MAX_NAMES) {
            throw new CheckpointException(stored.info.file() + " has more than " + MAX_NAMES + " tensors");
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
        Stored stored = tensors.get(name);
        if (stored == null) {
            throw new CheckpointException(file.path() + " has no tensor " + name);
        }
        GgufFile.Info info = stored.info;
        TensorFormat format = GgmlType.of(info.type())
                .flatMap(GgmlType::format)
                .orElseThrow(
                        () -> new CheckpointException(stored.info.file() + ": tensor " + info.name() + " is of type "
                                + GgmlType.of(info.type()).map(Enum::name).orElse("number " + info.type())
                                + ", which is not computed with, expected one of " + GgmlType.served()));
        List<Integer> shape = Shapes.of(stored.info.file() + ": tensor " + info.name(), info.shape());
        var values = new Tensor.Extent(info.file(), info.offset(), format.rowBytes(shape.get(shape.size() - 1)));
        Tensor whole = new Tensor(name, dialect.names().publishedShape(name, shape), format, values, null, null);
        return stored.expert < 0 ? whole : whole.element(stored.expert);
    }

    @Override
    public RopePairing ropePairing(RopePairing published) {
        return dialect.ropePairing(published);
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public Map<String, Object> metadata() {
        return file.metadata();
    }
}
