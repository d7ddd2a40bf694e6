package org.espalier.plan;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.espalier.architecture.Architecture;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Checkpoint.StoredTensor;
import org.espalier.checkpoint.CheckpointException;
import org.espalier.config.RoutedExperts;
import org.espalier.model.Model;
import org.espalier.program.Cost;
import org.espalier.program.Plan;
import org.espalier.program.StepShape;
import org.espalier.weights.FileRanges;
import org.espalier.weights.Pieces;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;

/**
 * What a model's files contain and what a token reads of them, for the command {@code inspect}.
 *
 * @param name of the model
 * @param path directory or file
 * @param layout {@code safetensors}, {@code mlx} or {@code gguf}
 * @param token what the first token of an answer reads and computes
 * @param formats by the format's name; only what is loaded
 * @param notLoaded tensors that no program reads, by their names in the files
 * @param otherParts what these belong to: multi-token prediction, vision, sound
 */
public record Inspection(
        String name,
        String path,
        String layout,
        Architecture architecture,
        Sizes sizes,
        Cost token,
        Map<String, Usage> formats,
        List<String> notLoaded,
        List<OtherPart> otherParts) {

    /** What stands between the wrappers and the first module: {@code vision_tower}, {@code model.visual}; or a layer. */
    private static final Pattern PART =
            Pattern.compile("((?:(?:model|language_model)\\.)*(?:(layers|blk)\\.\\d+|[^.]+)).*");

    /**
     * Sizes in bytes.
     *
     * @param all that is loaded, tied embeddings counted once
     * @param head final norm and output matrix; with tied embeddings the embedding counted again
     * @param cachePerToken KV rows of one token in all layers, as float32
     * @param states what layers keep of a session however long it is, as float32
     */
    public record Sizes(long all, long embedding, List<Long> layers, long head, long cachePerToken, long states) {
        public Sizes {
            layers = List.copyOf(layers);
        }
    }

    /** Tensors that are not loaded, for instance {@code vision_tower}; {@code model.layers.61}, if that is behind the last layer. */
    public record OtherPart(String name, int tensors, long bytes) {
        private OtherPart plus(OtherPart more) {
            return new OtherPart(name, tensors + more.tensors, bytes + more.bytes);
        }
    }

    /** How much is stored in one format. */
    public record Usage(int tensors, long bytes) {}

    public Inspection {
        formats = Collections.unmodifiableMap(new TreeMap<>(formats));
        notLoaded = List.copyOf(notLoaded);
        otherParts = List.copyOf(otherParts);
    }

    /** @throws org.espalier.EspalierException if the headers do not fit the config */
    public static Inspection of(Model model) {
        ShardPlans plans = new ShardPlans(model);
        Plan whole = plans.whole();
        Checkpoint checkpoint = model.checkpoint();
        FileRanges read = whole.ranges(0);
        Map<String, Integer> tensors = new TreeMap<>();
        for (String name : checkpoint.names()) {
            weight(checkpoint, name)
                    .filter(weight -> read.contain(start(weight)))
                    .ifPresent(weight -> tensors.merge(weight.format().title(), tensors(weight), Integer::sum));
        }
        List<StoredTensor> notLoaded = plans.notLoaded();
        Map<String, Usage> formats = new TreeMap<>();
        whole.bytesByFormat()
                .forEach((format, bytes) -> formats.put(format, new Usage(tensors.getOrDefault(format, 0), bytes)));
        int perToken = model.architecture().moe().map(RoutedExperts::perToken).orElse(0);
        return new Inspection(
                model.name(),
                model.path().toString(),
                checkpoint.layout().name().toLowerCase(Locale.ROOT),
                model.architecture(),
                sizes(plans, whole),
                whole.cost(new StepShape(1, perToken, 1)),
                formats,
                notLoaded.stream().map(StoredTensor::name).toList(),
                parts(notLoaded));
    }

    /** The weight; empty if its type is not supported, in which case no program reads it. */
    private static Optional<Weight> weight(Checkpoint checkpoint, String name) {
        try {
            return Optional.of(checkpoint.weight(name));
        } catch (CheckpointException e) {
            return Optional.empty();
        }
    }

    /** How many tensors a weight has: experts that are apart have one each. */
    private static int tensors(Weight weight) {
        return weight.pieces() instanceof Pieces.Apart apart ? apart.count() : 1;
    }

    private static FileRanges start(Weight weight) {
        Region values = weight.pieces().get(0).values();
        FileRanges.Range first = new FileRanges.Range(values.offset(), values.offset() + 1);
        return new FileRanges(Map.of(values.file(), List.of(first)));
    }

    private static List<OtherPart> parts(List<StoredTensor> notLoaded) {
        Map<String, OtherPart> parts = new LinkedHashMap<>();
        for (StoredTensor tensor : notLoaded) {
            Matcher part = PART.matcher(tensor.name());
            String name = part.matches() ? part.group(1) : tensor.name();
            parts.merge(name, new OtherPart(name, 1, tensor.bytes()), OtherPart::plus);
        }
        return List.copyOf(parts.values());
    }

    private static Sizes sizes(ShardPlans plans, Plan whole) {
        List<Long> layers = IntStream.range(0, plans.model().architecture().layers())
                .mapToObj(layer -> plans.of(layer, layer + 1).parts().layers())
                .toList();
        return new Sizes(
                whole.residentBytes(),
                whole.parts().embedding(),
                layers,
                whole.parts().head(),
                whole.cacheValuesPerRow() * Float.BYTES,
                whole.stateValues() * Float.BYTES);
    }

    /** A table for people, one line an entry. */
    public List<String> describe() {
        List<String> lines = new ArrayList<>();
        lines.add(line("model", name + " (" + path + ")"));
        lines.add(line("architecture", architecture.modelType() + ", stored as " + layout));
        lines.add(line("layers", architecture.layers() + " of width " + architecture.hidden()));
        lines.add(line(
                "vocabulary", architecture.vocabulary() + (architecture.tiedEmbeddings() ? ", tied embeddings" : "")));
        lines.add(line(
                "context",
                architecture.context() + " positions, " + number(sizes.cachePerToken) + " bytes of cache each"));
        if (sizes.states > 0) {
            lines.add(line("states", number(sizes.states) + " bytes a session, however long it is"));
        }
        architecture
                .moe()
                .ifPresent(moe -> lines.add(line(
                        "experts",
                        moe.count() + " in each of " + moe.layers().size() + " layers, " + moe.perToken()
                                + " a token")));
        lines.add(line("bytes", number(sizes.all)));
        lines.add(line("  embedding", number(sizes.embedding)));
        addLayers(lines);
        lines.add(line("  head", number(sizes.head) + (architecture.tiedEmbeddings() ? ", the embedding again" : "")));
        lines.add(line(
                "one token",
                "reads " + number(token.weightBytes()) + " bytes of weights, takes " + number(token.operations())
                        + " operations"));
        formats.forEach((format, usage) ->
                lines.add(line("format", format + ": " + tensors(usage.tensors()) + number(usage.bytes()) + " bytes")));
        lines.add(line(
                "ignored keys",
                architecture.ignoredKeys().isEmpty() ? "none" : String.join(", ", architecture.ignoredKeys())));
        if (otherParts.isEmpty()) {
            lines.add(line("not loaded", "nothing"));
        }
        otherParts.forEach(part -> lines.add(
                line("not loaded", part.name() + ": " + tensors(part.tensors()) + number(part.bytes()) + " bytes")));
        return lines;
    }

    /** One line for each run of layers of the same size. */
    private void addLayers(List<String> lines) {
        int first = 0;
        List<Long> layers = sizes.layers;
        for (int i = 1; i <= layers.size(); i++) {
            if (i == layers.size() || !layers.get(i).equals(layers.get(first))) {
                String which = i - first == 1 ? "  layer " + first : "  layers " + first + " to " + (i - 1);
                lines.add(line(which, number(layers.get(first)) + (i - first == 1 ? "" : " each")));
                first = i;
            }
        }
    }

    private static String tensors(int count) {
        return count == 1 ? "1 tensor, " : count + " tensors, ";
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    private static String line(String label, String text) {
        return String.format(Locale.ROOT, "%-18s %s", label, text);
    }

    /** The same as JSON. */
    public ObjectNode toJson() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("name", name)
                .put("path", path)
                .put("architecture", architecture.modelType())
                .put("layout", layout);
        json.put("layers", architecture.layers())
                .put("hidden", architecture.hidden())
                .put("vocabulary", architecture.vocabulary());
        json.put("context", architecture.context())
                .put("tiedEmbeddings", architecture.tiedEmbeddings())
                .put("bytes", sizes.all);
        json.put("embeddingBytes", sizes.embedding).put("headBytes", sizes.head);
        json.put("cacheBytesPerToken", sizes.cachePerToken).put("stateBytes", sizes.states);
        json.putObject("token").put("weightBytes", token.weightBytes()).put("operations", token.operations());
        sizes.layers.forEach(json.putArray("layerBytes")::add);
        Optional<RoutedExperts> moe = architecture.moe();
        if (moe.isPresent()) {
            ObjectNode experts = json.putObject("experts");
            experts.put("count", moe.get().count()).put("perToken", moe.get().perToken());
            moe.get().layers().forEach(experts.putArray("layers")::add);
        }
        ObjectNode formatsJson = json.putObject("formats");
        formats.forEach((format, usage) ->
                formatsJson.putObject(format).put("tensors", usage.tensors()).put("bytes", usage.bytes()));
        architecture.ignoredKeys().forEach(json.putArray("ignoredKeys")::add);
        notLoaded.forEach(json.putArray("notLoaded")::add);
        ArrayNode parts = json.putArray("otherParts");
        otherParts.forEach(part -> parts.addObject()
                .put("name", part.name())
                .put("tensors", part.tensors())
                .put("bytes", part.bytes()));
        return json;
    }

    @Override
    public String toString() {
        return String.join(System.lineSeparator(), describe());
    }
}
