package org.espalier.quantize;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.EspalierException;
import org.espalier.checkpoint.JsonFile;
import org.espalier.model.Model;

/** The new checkpoint while it is written, beside its target; it takes the target's name when it is whole and is deleted when it is not. */
final class CheckpointFolder implements AutoCloseable {

    /** Of the source, for tokenizer and chat: everything small that is not about its weights. */
    private static final String TO_COPY =
            "{tokenizer*,special_tokens_map.json,vocab*,merges.txt,added_tokens.json,generation_config.json,*.jinja,"
                    + "chat_template*,*.tiktoken}";

    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final Path target;
    private final Path folder;
    private final Map<String, String> fileOfTensor = new TreeMap<>();
    private long bytes;
    private boolean finished;

    private CheckpointFolder(Path target, Path folder) {
        this.target = target;
        this.folder = folder;
    }

    /** @param bytes that will be written */
    static CheckpointFolder beside(Path target, long bytes) throws IOException {
        Path whole = target.toAbsolutePath().normalize();
        if (Files.exists(whole)) {
            throw new EspalierException(target + " is there already: delete it or choose another folder");
        }
        Path parent = whole.getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw new EspalierException("the folder " + parent + " for " + target + " does not exist: create it first");
        }
        long free = Files.getFileStore(parent).getUsableSpace();
        if (free < bytes) {
            throw new EspalierException(String.format(
                    Locale.ROOT,
                    "%s needs %.1f GB, %s has %.1f GB free: choose another disk or fewer bits",
                    target,
                    bytes / 1e9,
                    parent,
                    free / 1e9));
        }
        return new CheckpointFolder(whole, Files.createTempDirectory(parent, whole.getFileName() + ".incomplete-"));
    }

    SafetensorsWriter weights(int index, int count, List<SafetensorsWriter.Tensor> entries) throws IOException {
        String name = count == 1
                ? "model.safetensors"
                : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", index + 1, count);
        entries.forEach(entry -> {
            fileOfTensor.put(entry.name(), name);
            bytes += entry.bytes();
        });
        return new SafetensorsWriter(folder.resolve(name), entries);
    }

    /** Config, index and the source's small files; then the folder takes its name. */
    void finish(Model model, ConversionPlan plan) throws IOException {
        ObjectNode index = JSON.createObjectNode();
        index.putObject("metadata").put("total_size", bytes);
        ObjectNode map = index.putObject("weight_map");
        fileOfTensor.forEach(map::put);
        JSON.writeValue(folder.resolve("model.safetensors.index.json").toFile(), index);
        JSON.writeValue(folder.resolve("config.json").toFile(), config(model, plan));
        try (DirectoryStream<Path> files = Files.newDirectoryStream(model.path(), TO_COPY)) {
            for (Path file : files) {
                if (Files.isRegularFile(file)) {
                    Files.copy(file, folder.resolve(file.getFileName().toString()));
                }
            }
        }
        Files.move(folder, target, StandardCopyOption.ATOMIC_MOVE);
        finished = true;
    }

    /** The source's, sorted as mlx-lm sorts it, with the quantization under both of its names. */
    private static ObjectNode config(Model model, ConversionPlan plan) {
        ObjectNode source = JsonFile.read(model.path().resolve("config.json"));
        source.set("quantization", plan.quantization());
        source.set("quantization_config", plan.quantization());
        source.remove(List.of("_name_or_path", "vision_config")); // as mlx-lm does
        ObjectNode sorted = JSON.createObjectNode();
        List<String> keys = new ArrayList<>();
        source.fieldNames().forEachRemaining(keys::add);
        keys.stream().sorted().forEach(key -> sorted.set(key, source.get(key)));
        return sorted;
    }

    /** Deletes what is not whole. */
    @Override
    public void close() throws IOException {
        if (finished) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
