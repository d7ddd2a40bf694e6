package org.espalier.model;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Tensor;

/**
 * What a checkpoint holds, for the command {@code inspect}.
 *
 * @param name of the model
 * @param path directory or file
 * @param layout {@code safetensors}, {@code mlx} or {@code gguf}
 * @param size bytes of embedding, each layer and head
 * @param formats by the format's name, tensors that are loaded only
 * @param notLoaded tensors behind the last decoder layer (multi-token prediction), in the file's order
 */
public record Inspection(
        String name,
        String path,
        String layout,
        ModelConfig config,
        ModelSize size,
        Map<String, Usage> formats,
        List<String> notLoaded) {

    /** How much is stored in one format. */
    public record Usage(int tensors, long bytes) {
        Usage plus(Usage other) {
            return new Usage(tensors + other.tensors, bytes + other.bytes);
        }
    }

    public Inspection {
        formats = Collections.unmodifiableMap(new TreeMap<>(formats));
        notLoaded = List.copyOf(notLoaded);
    }

    /** @throws org.espalier.checkpoint.CheckpointException if a tensor has a type that is not computed with */
    public static Inspection of(Model model) {
        Checkpoint checkpoint = model.checkpoint();
        Map<String, Usage> formats = new TreeMap<>();
        List<String> notLoaded = new ArrayList<>();
        for (String name : checkpoint.names()) {
            OptionalInt layer = ModelSizes.layerOf(name);
            if (layer.isPresent() && layer.getAsInt() >= model.config().layers()) {
                notLoaded.add(name);
            } else {
                Tensor tensor = checkpoint.tensor(name);
                formats.merge(tensor.format().title(), new Usage(1, tensor.bytes()), Usage::plus);
            }
        }
        return new Inspection(
                model.name(),
                model.path().toString(),
                checkpoint.layout().name().toLowerCase(Locale.ROOT),
                model.config(),
                ModelSizes.of(model),
                formats,
                notLoaded);
    }

    /** Bytes of everything that is loaded, tied embeddings once. */
    public long bytes() {
        return formats.values().stream().mapToLong(Usage::bytes).sum();
    }

    /** A table for people, one line an entry. */
    public List<String> describe() {
        List<String> lines = new ArrayList<>();
        lines.add(line("model", name + " (" + path + ")"));
        lines.add(line("architecture", config.architecture() + ", stored as " + layout));
        lines.add(line("layers", config.layers() + " of width " + config.hidden()));
        lines.add(line("vocabulary", config.vocabulary() + (config.tiedEmbeddings() ? ", tied embeddings" : "")));
        lines.add(line(
                "context",
                config.context() + " positions, " + size.cacheBytesPerToken() + " bytes of cache each in every layer"));
        config.moe()
                .ifPresent(moe -> lines.add(line(
                        "experts",
                        moe.experts() + " in each of " + moe.layers().size() + " layers, " + moe.perToken()
                                + " a token")));
        lines.add(line("bytes", String.format(Locale.ROOT, "%,d", bytes())));
        lines.add(line("  embedding", String.format(Locale.ROOT, "%,d", size.embedding())));
        addLayers(lines);
        lines.add(line(
                "  head",
                String.format(Locale.ROOT, "%,d", size.head())
                        + (config.tiedEmbeddings() ? ", the embedding again" : "")));
        formats.forEach((format, usage) -> lines.add(line(
                "format",
                format + ": " + usage.tensors() + (usage.tensors() == 1 ? " tensor, " : " tensors, ")
                        + String.format(Locale.ROOT, "%,d", usage.bytes()) + " bytes")));
        lines.add(line(
                "ignored keys", config.ignoredKeys().isEmpty() ? "none" : String.join(", ", config.ignoredKeys())));
        lines.add(line(
                "not loaded",
                notLoaded.isEmpty()
                        ? "nothing"
                        : notLoaded.size() + " tensors behind the last layer (multi-token prediction)"));
        return lines;
    }

    /** One line for each run of layers of the same size. */
    private void addLayers(List<String> lines) {
        int first = 0;
        for (int i = 1; i <= size.layers().size(); i++) {
            if (i == size.layers().size()
                    || !size.layers().get(i).equals(size.layers().get(first))) {
                String which = i - first == 1 ? "  layer " + first : "  layers " + first + " to " + (i - 1);
                lines.add(line(
                        which,
                        String.format(Locale.ROOT, "%,d", size.layers().get(first)) + (i - first == 1 ? "" : " each")));
                first = i;
            }
        }
    }

    private static String line(String label, String text) {
        return String.format(Locale.ROOT, "%-18s %s", label, text);
    }

    /** The same for programs. */
    public ObjectNode toJson() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("name", name)
                .put("path", path)
                .put("architecture", config.architecture())
                .put("layout", layout);
        json.put("layers", config.layers()).put("hidden", config.hidden()).put("vocabulary", config.vocabulary());
        json.put("context", config.context())
                .put("tiedEmbeddings", config.tiedEmbeddings())
                .put("bytes", bytes());
        json.put("embeddingBytes", size.embedding()).put("headBytes", size.head());
        json.put("cacheBytesPerToken", size.cacheBytesPerToken());
        size.layers().forEach(json.putArray("layerBytes")::add);
        Optional<ModelConfig.Moe> moe = config.moe();
        if (moe.isPresent()) {
            ObjectNode experts = json.putObject("experts");
            experts.put("count", moe.get().experts()).put("perToken", moe.get().perToken());
            moe.get().layers().forEach(experts.putArray("layers")::add);
        }
        ObjectNode formatsJson = json.putObject("formats");
        formats.forEach((format, usage) ->
                formatsJson.putObject(format).put("tensors", usage.tensors()).put("bytes", usage.bytes()));
        config.ignoredKeys().forEach(json.putArray("ignoredKeys")::add);
        notLoaded.forEach(json.putArray("notLoaded")::add);
        return json;
    }

    @Override
    public String toString() {
        return String.join(System.lineSeparator(), describe());
    }
}
