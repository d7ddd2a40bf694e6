package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.program.Rope;
import org.espalier.weights.Piece;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightFormat;

/** A model in one GGUF file or several parts, whose tensors have the published names here. */
final class GgufCheckpoint implements Checkpoint {
    private final GgufFile file;
    private final GgufDialect dialect;
    private final ObjectNode config;
    private final NamedWeights weights;
    private final List<StoredTensor> tensors = new ArrayList<>();

    /** @param parts the first has the metadata */
    GgufCheckpoint(List<GgufFile> parts, GgufDialects dialects) {
        Map<String, GgufFile.Tensor> all = new LinkedHashMap<>();
        for (GgufFile part : parts) {
            for (GgufFile.Tensor info : part.tensors().values()) {
                if (all.put(info.name(), info) != null) {
                    throw new CheckpointException("tensor " + info.name() + " is in two parts of "
                            + parts.get(0).path());
                }
            }
        }
        this.file = new GgufFile(parts.get(0).path(), parts.get(0).metadata(), all);
        this.dialect = dialects.of(file);
        this.weights = new NamedWeights(file.path(), "");
        for (GgufFile part : parts) {
            for (GgufFile.Tensor info : part.tensors().values()) {
                if (!info.name().equals(GgufRopeDivisors.TENSOR)) { // that tensor is part of the config
                    put(info);
                    tensors.add(new StoredTensor(
                            info.name(),
                            info.file(),
                            info.offset(),
                            info.bytes().orElse(0L)));
                }
            }
        }
        this.config = dialect.config(file);
    }

    private void put(GgufFile.Tensor info) {
        String name = dialect.names()
                .published(info.name())
                .orElseThrow(() -> new CheckpointException(info.file() + " has the tensor " + info.name()
                        + ", which the architecture " + dialect.name() + " does not have"));
        if (name.contains(NamedWeights.EVERY)) {
            weights.putStack(name, info.name(), info.shape(), () -> stored(info));
        } else {
            weights.put(name, info.name(), () -> stored(info));
        }
    }

    private static Weight stored(GgufFile.Tensor info) {
        WeightFormat format = GgmlType.of(info.type())
                .flatMap(GgmlType::format)
                .orElseThrow(() -> new CheckpointException(info.file() + ": tensor " + info.name() + " is of type "
                        + GgmlType.of(info.type()).map(Enum::name).orElse("number " + info.type())
                        + ", which is not supported, expected one of " + GgmlType.served()));
        List<Integer> shape = Shapes.of(info.file() + ": tensor " + info.name(), info.shape());
        Region rows = new Region(info.file(), info.offset(), format.rowBytes(Shapes.columns(shape)));
        return Shapes.weight(shape, format, Piece.of(rows));
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
        return weights.names();
    }

    @Override
    public Weight weight(String name) {
        return weights.get(name);
    }

    @Override
    public Rope.Pairing ropePairing(Rope.Pairing published) {
        return dialect.ropePairing(published);
    }

    @Override
    public List<StoredTensor> tensors() {
        return Collections.unmodifiableList(tensors);
    }

    @Override
    public Map<String, Object> metadata() {
        return file.metadata();
    }
}
