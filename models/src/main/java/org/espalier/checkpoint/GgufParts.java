package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.EspalierException;

/**
 * The files of a GGUF model: one, or the parts of llama.cpp's {@code gguf-split}, named {@code NAME-00001-of-00003.gguf}. The first part has
 * the metadata of the model; each says which part it is ({@code split.no}, from 0) and of how many ({@code split.count}).
 */
final class GgufParts {
    private static final Pattern PART = Pattern.compile("(.+)-(\\d{5})-of-(\\d{5})\\.gguf");

    private GgufParts() {}

    /** All parts in order, whichever of them is named. */
    static List<GgufFile> open(Path path) {
        GgufFile named = GgufFile.read(path);
        long count = number(named, "split.count", 1);
        if (count <= 1) {
            return List.of(named);
        }
        Matcher name = PART.matcher(path.getFileName().toString());
        if (!name.matches() || Long.parseLong(name.group(3)) != count) {
            throw new CheckpointException(path + " is one of " + count
                    + " parts, expected it to be named like NAME-00001-of-" + String.format("%05d", count) + ".gguf");
        }
        List<GgufFile> parts = new ArrayList<>();
        long tensors = 0;
        for (int number = 1; number <= count; number++) {
            GgufFile part = part(path, name.group(1), number, (int) count);
            parts.add(part);
            tensors += part.tensors().size();
        }
        long expected = number(named, "split.tensors.count", tensors);
        if (tensors != expected) {
            throw new CheckpointException(
                    "the " + count + " parts of " + parts.get(0).path() + " have " + tensors + " tensors, expected "
                            + expected + ": fetch the files again");
        }
        return parts;
    }

    private static GgufFile part(Path sibling, String name, int number, int count) {
        Path path = sibling.resolveSibling(String.format("%s-%05d-of-%05d.gguf", name, number, count));
        if (!Files.exists(path)) {
            throw new CheckpointException(
                    "part " + number + " of " + count + " is missing: " + path + " does not exist, fetch the file");
        }
        GgufFile part = GgufFile.read(path);
        long no = number(part, "split.no", -1);
        long of = number(part, "split.count", 1);
        if (no != number - 1 || of != count) {
            throw new CheckpointException(path + " says it is part " + (no + 1) + " of " + of + ", expected part "
                    + number + " of " + count + ": fetch the file again");
        }
        return part;
    }

    private static long number(GgufFile file, String key, long absent) {
        Object value = file.metadata().getOrDefault(key, absent);
        if (value instanceof Number number && number.doubleValue() == number.longValue()) {
            return number.longValue();
        }
        throw new CheckpointException(file.path() + ": metadata key " + key + " is "
                + (value instanceof List ? "a list" : value) + ", expected a whole number");
    }

    /**
     * The one model in a directory: its only .gguf file, or the first part of it.
     *
     * @return null where there is no .gguf file
     */
    static Path in(Path directory) {
        Map<String, Path> models = new TreeMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.gguf")) {
            for (Path file : files) {
                Matcher part = PART.matcher(file.getFileName().toString());
                String model =
                        part.matches() ? part.group(1) : file.getFileName().toString();
                models.merge(model, file, (a, b) -> a.compareTo(b) < 0 ? a : b);
            }
        } catch (IOException e) {
            throw new CheckpointException(
                    "cannot list " + directory + ": " + EspalierException.reason(e, directory), e);
        }
        if (models.size() > 1) {
            throw new CheckpointException(directory + " holds several GGUF models: "
                    + String.join(
                            ", ",
                            models.values().stream()
                                    .map(p -> p.getFileName().toString())
                                    .toList())
                    + "; name one of the files");
        }
        return models.isEmpty() ? null : models.values().iterator().next();
    }
}
