package org.espalier.checkpoint;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The header of a GGUF file, versions 2 and 3 (<a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">format</a>).
 *
 * @param metadata text as {@code String}, numbers as {@code Number} (unsigned ones in the next wider type), truth values as {@code
 *     Boolean}, arrays as {@code List}
 * @param tensors by the file's own names, in its order; inside the file, one after the other
 */
public record GgufFile(Path path, Map<String, Object> metadata, Map<String, Tensor> tensors) {

    /**
     * @param shape outermost dimension first, the reverse of the file's order
     * @param type ggml's number
     * @param offset of the first byte, from the start of the file
     */
    public record Tensor(Path file, String name, List<Long> shape, int type, long offset) {
        public Tensor {
            shape = List.copyOf(shape);
        }

        /** Bytes of all blocks; empty for a type whose size is not known here. */
        public Optional<Long> bytes() {
            return GgmlType.of(type).map(known -> {
                long blocks = shape.get(shape.size() - 1) / known.blockValues();
                for (long dimension : shape.subList(0, shape.size() - 1)) {
                    blocks = Math.multiplyExact(blocks, dimension);
                }
                return Math.multiplyExact(blocks, (long) known.blockBytes());
            });
        }
    }

    public GgufFile {
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    }

    /** Whether the file begins as a GGUF file does. */
    public static boolean hasMagic(Path path) {
        try (LittleEndianFile file = LittleEndianFile.open(path)) {
            return file.length() >= Integer.BYTES && file.int32("the magic bytes") == GgufHeader.MAGIC;
        }
    }

    /** @throws CheckpointException if the file is missing, cut off or malformed */
    public static GgufFile read(Path path) {
        try (LittleEndianFile file = LittleEndianFile.open(path)) {
            return new GgufHeader(file).read();
        }
    }

    /** @throws CheckpointException if the key is absent or not a text */
    public String text(String key) {
        if (metadata.get(key) instanceof String text) {
            return text;
        }
        throw new CheckpointException(path + " has no text for the metadata key " + key);
    }

    /** The metadata's number; {@code fallback} where the key is absent or not a number. */
    public double number(String key, double fallback) {
        return metadata.get(key) instanceof Number number ? number.doubleValue() : fallback;
    }

    /** Array elements, for instance of {@code tokenizer.ggml.tokens}; empty where the key is absent or not an array. */
    public List<?> list(String key) {
        return metadata.get(key) instanceof List<?> list ? list : List.of();
    }
}
