package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;

/**
 * The safetensors of a directory: {@code model.safetensors}, or the shards that {@code model.safetensors.index.json} names.
 *
 * @param format {@code __metadata__}'s {@code format} of the first file: {@code pt}, {@code mlx}; empty if there is none
 * @param entries of all files by tensor name
 */
record SafetensorsDirectory(Path path, String format, Map<String, SafetensorsFile.Tensor> entries) {
    static final String SINGLE = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";

    static SafetensorsDirectory read(Path directory) {
        if (Files.exists(directory.resolve(SINGLE))) {
            SafetensorsFile file = SafetensorsFile.read(directory.resolve(SINGLE));
            return new SafetensorsDirectory(directory, formatOf(file), file.entries());
        }
        return readShards(directory, index(directory));
    }

    /** @throws CheckpointException if there is none */
    static Path index(Path directory) {
        Path index = directory.resolve(INDEX);
        if (!Files.exists(index)) {
            throw new CheckpointException(directory + " has no weights: expected " + SINGLE + " or " + INDEX
                    + "; other weight formats are not read");
        }
        return index;
    }

    private static SafetensorsDirectory readShards(Path directory, Path index) {
        JsonNode weightMap = JsonFile.read(index).get("weight_map");
        if (weightMap == null || !weightMap.isObject() || weightMap.isEmpty()) {
            throw new CheckpointException(index + " has no weight_map from tensor names to files");
        }
        Map<String, SafetensorsFile> shards = new TreeMap<>();
        Map<String, SafetensorsFile.Tensor> entries = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> mapping : weightMap.properties()) {
            String shard = shardName(index, mapping);
            if (!shards.containsKey(shard)) {
                SafetensorsFile file = readShard(directory, shard);
                shards.put(shard, file);
                file.entries().forEach((name, entry) -> addOnce(entries, name, entry));
            }
            if (!shards.get(shard).entries().containsKey(mapping.getKey())) {
                throw new CheckpointException(directory.resolve(shard) + " has no tensor " + mapping.getKey()
                        + ", which " + INDEX + " says is there: fetch both files again");
            }
        }
        return new SafetensorsDirectory(
                directory, formatOf(shards.values().iterator().next()), entries);
    }

    private static String shardName(Path index, Map.Entry<String, JsonNode> mapping) {
        String shard = mapping.getValue().asText("");
        boolean plain = shard.endsWith(".safetensors") && shard.chars().noneMatch(c -> c == '/' || c == '\\' || c == 0);
        if (!plain) {
            throw new CheckpointException(index + " maps " + mapping.getKey() + " to " + mapping.getValue()
                    + ", expected the name of a .safetensors file beside it");
        }
        return shard;
    }

    private static SafetensorsFile readShard(Path directory, String shard) {
        Path file = directory.resolve(shard);
        if (!Files.exists(file)) {
            throw new CheckpointException(
                    "shard " + shard + " is missing in " + directory + ": " + INDEX + " needs it, fetch the file");
        }
        return SafetensorsFile.read(file);
    }

    private static void addOnce(
            Map<String, SafetensorsFile.Tensor> entries, String name, SafetensorsFile.Tensor entry) {
        SafetensorsFile.Tensor other = entries.putIfAbsent(name, entry);
        if (other != null) {
            throw new CheckpointException("tensor " + name + " is in two shards, "
                    + other.file().getFileName() + " and " + entry.file().getFileName() + " of "
                    + entry.file().getParent());
        }
    }

    private static String formatOf(SafetensorsFile file) {
        return file.metadata().getOrDefault("format", "");
    }

    SafetensorsFile.Tensor entry(String name) {
        SafetensorsFile.Tensor entry = entries.get(name);
        if (entry == null) {
            throw new CheckpointException(path + " has no tensor " + name);
        }
        return entry;
    }

    List<Integer> shape(String name) {
        return Shapes.of(path + ": tensor " + name, entry(name).shape());
    }

    /** The rows of a tensor, from its first byte on. */
    Region region(String name, long rowBytes) {
        SafetensorsFile.Tensor entry = entry(name);
        return new Region(entry.file(), entry.begin(), rowBytes);
    }

    /** A tensor that is stored value by value. */
    Weight plain(String name) {
        Plain format = new Plain(floats(name));
        List<Integer> shape = shape(name);
        return Shapes.weight(shape, format, Piece.of(region(name, format.rowBytes(Shapes.columns(shape)))));
    }

    /** The type of floats that are stored value by value. */
    Element floats(String name) {
        String type = entry(name).type();
        return switch (type) {
            case "F32" -> Element.F32;
            case "F16" -> Element.F16;
            case "BF16" -> Element.BF16;
            default ->
                throw new CheckpointException(
                        path + ": tensor " + name + " is of type " + type + ", expected F32, F16 or BF16");
        };
    }

    /** The shape of scales of one byte each, which belong to {@code format}. */
    List<Integer> scalesShape(String name, Scaled format) {
        SafetensorsFile.Tensor entry = entry(name);
        if (!entry.type().equals("U8")) {
            throw new CheckpointException(
                    path + ": tensor " + name + " is of type " + entry.type() + ", expected U8 for " + format.title());
        }
        return shape(name);
    }

    List<Checkpoint.StoredTensor> tensors() {
        return entries.entrySet().stream()
                .map(entry -> stored(entry.getKey(), entry.getValue()))
                .toList();
    }

    private static Checkpoint.StoredTensor stored(String name, SafetensorsFile.Tensor tensor) {
        return new Checkpoint.StoredTensor(name, tensor.file(), tensor.begin(), tensor.bytes());
    }
}
