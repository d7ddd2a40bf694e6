package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The safetensors of a directory: {@code model.safetensors}, or the shards that {@code model.safetensors.index.json} names.
 *
 * @param format {@code __metadata__}'s {@code format} of the first file: {@code pt}, {@code mlx}; empty where there is none
 * @param entries of all files by tensor name
 */
record SafetensorsDirectory(Path path, String format, Map<String, SafetensorsFile.Entry> entries) {
    static final String SINGLE = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";

    static SafetensorsDirectory read(Path directory) {
        if (Files.exists(directory.resolve(SINGLE))) {
            SafetensorsFile file = SafetensorsFile.read(directory.resolve(SINGLE));
            return new SafetensorsDirectory(directory, formatOf(file), file.entries());
        }
        Path index = directory.resolve(INDEX);
        if (!Files.exists(index)) {
            throw new CheckpointException(directory + " has no weights: expected " + SINGLE + " or " + INDEX
                    + "; other weight formats are not read");
        }
        return readShards(directory, index);
    }

    private static SafetensorsDirectory readShards(Path directory, Path index) {
        JsonNode weightMap = JsonFile.read(index).get("weight_map");
        if (weightMap == null || !weightMap.isObject() || weightMap.isEmpty()) {
            throw new CheckpointException(index + " has no weight_map from tensor names to files");
        }
        Map<String, SafetensorsFile> shards = new TreeMap<>();
        Map<String, SafetensorsFile.Entry> entries = new LinkedHashMap<>();
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

    private static void addOnce(Map<String, SafetensorsFile.Entry> entries, String name, SafetensorsFile.Entry entry) {
        SafetensorsFile.Entry other = entries.putIfAbsent(name, entry);
        if (other != null) {
            throw new CheckpointException("tensor " + name + " is in two shards, "
                    + other.file().getFileName() + " and " + entry.file().getFileName() + " of "
                    + entry.file().getParent());
        }
    }

    private static String formatOf(SafetensorsFile file) {
        return file.metadata().getOrDefault("format", "");
    }

    SafetensorsFile.Entry entry(String name) {
        SafetensorsFile.Entry entry = entries.get(name);
        if (entry == null) {
            throw new CheckpointException(path + " has no tensor " + name);
        }
        return entry;
    }

    /** A tensor that is stored value by value. */
    Tensor plain(String name) {
        SafetensorsFile.Entry entry = entry(name);
        TensorFormat.Plain format = plainFormat(name, entry);
        var shape = Shapes.of(path + ": tensor " + name, entry.shape());
        long rowBytes = format.rowBytes(shape.get(shape.size() - 1));
        var values = new Tensor.Extent(entry.file(), entry.begin(), rowBytes);
        return new Tensor(name, shape, format, values, null, null);
    }

    private TensorFormat.Plain plainFormat(String name, SafetensorsFile.Entry entry) {
        return switch (entry.type()) {
            case "F32" -> TensorFormat.Plain.F32;
            case "F16" -> TensorFormat.Plain.F16;
            case "BF16" -> TensorFormat.Plain.BF16;
            default ->
                throw new CheckpointException(
                        path + ": tensor " + name + " is of type " + entry.type() + ", expected F32, F16 or BF16");
        };
    }

    /** Scales of one byte each, seen as a tensor of the format that they belong to. */
    Tensor bytes(String name, TensorFormat.Scaled format) {
        SafetensorsFile.Entry entry = entry(name);
        if (!entry.type().equals("U8")) {
            throw new CheckpointException(
                    path + ": tensor " + name + " is of type " + entry.type() + ", expected U8 for " + format.title());
        }
        List<Integer> shape = Shapes.of(path + ": tensor " + name, entry.shape());
        var values = new Tensor.Extent(entry.file(), entry.begin(), shape.get(shape.size() - 1));
        return new Tensor(name, shape, format, values, null, null);
    }

    long bytes() {
        return entries.values().stream().mapToLong(SafetensorsFile.Entry::bytes).sum();
    }
}
