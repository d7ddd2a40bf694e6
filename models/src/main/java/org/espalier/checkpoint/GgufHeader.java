package org.espalier.checkpoint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads a GGUF header once, front to back. Counts and lengths are never trusted beyond the file's end. */
final class GgufHeader {
    /** "GGUF" as a little-endian number. */
    static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;

    private static final int TEXT = 8; // a metadata value's type, as ARRAY; StoredNumbers has the others
    private static final int ARRAY = 9;

    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MAX_ALIGNMENT = 1 << 20;
    private static final int MAX_DIMENSIONS = 4; // ggml's GGML_MAX_DIMS
    private static final int MAX_NAME_BYTES = 65_535; // the format's limit for keys
    private static final int MAX_KEYS = 1 << 16;
    private static final int MAX_TENSORS = 1 << 20;

    /** Elements of all arrays together; the largest vocabularies and merges have under a million. */
    private static final int MAX_ELEMENTS = 1 << 23;

    private final LittleEndianFile file;
    private int elementsLeft = MAX_ELEMENTS;

    GgufHeader(LittleEndianFile file) {
        this.file = file;
    }

    GgufFile read() {
        if (file.length() < Integer.BYTES || file.int32("the magic bytes") != MAGIC) {
            throw new CheckpointException(file.path() + " is not a GGUF file: it does not begin with the bytes GGUF");
        }
        int version = file.int32("the version");
        if (version != 2 && version != 3) {
            String bigEndian = Integer.reverseBytes(version) == 3 ? " (a big-endian file)" : "";
            throw new CheckpointException(file.path() + " is of GGUF version " + Integer.toUnsignedString(version)
                    + bigEndian + ", expected 2 or 3, little-endian");
        }
        long tensorCount = count("tensors", MAX_TENSORS);
        long keyCount = count("metadata keys", MAX_KEYS);
        Map<String, Object> metadata = new LinkedHashMap<>();
        for (long i = 0; i < keyCount; i++) {
            String key = text("a metadata key", MAX_NAME_BYTES);
            Object value = value(file.int32("the type of " + key), key);
            if (metadata.put(key, value) != null) {
                throw damaged("duplicate metadata key " + key);
            }
        }
        Map<String, GgufFile.Tensor> infos = new LinkedHashMap<>();
        int alignment = alignment(metadata);
        List<GgufFile.Tensor> relative = new ArrayList<>();
        for (long i = 0; i < tensorCount; i++) {
            relative.add(info());
        }
        // Offsets count from the first aligned byte after the header.
        long dataStart = (file.position() + alignment - 1) & -(long) alignment;
        for (GgufFile.Tensor info : relative) {
            if (infos.put(info.name(), checked(info, dataStart, alignment)) != null) {
                throw damaged("duplicate tensor " + info.name());
            }
        }
        requireOneAfterTheOther(relative, alignment);
        return new GgufFile(file.path(), metadata, infos);
    }

    private long count(String what, long most) {
        long count = file.int64("the number of " + what);
        if (count < 0 || count > most) {
            throw damaged("it says it has " + Long.toUnsignedString(count) + " " + what + ", expected at most " + most);
        }
        return count;
    }

    private int alignment(Map<String, Object> metadata) {
        Object value = metadata.getOrDefault("general.alignment", DEFAULT_ALIGNMENT);
        if (value instanceof Number number
                && number.longValue() > 0
                && number.longValue() <= MAX_ALIGNMENT
                && Long.bitCount(number.longValue()) == 1) {
            return number.intValue();
        }
        throw damaged("general.alignment is " + value + ", expected a power of two");
    }

    private String text(String what, long most) {
        return file.text(textBytes(what, most), what);
    }

    private long textBytes(String what, long most) {
        long bytes = file.int64(what);
        if (bytes < 0 || bytes > most) {
            throw damaged(what + " would have " + Long.toUnsignedString(bytes) + " bytes");
        }
        return bytes;
    }

    private Object value(int type, String key) {
        if (StoredNumbers.size(type) > 0) {
            return numbers(type, 1, key).get(0);
        }
        return switch (type) {
            case TEXT -> text(key, Integer.MAX_VALUE);
            case ARRAY -> array(key);
            default -> throw damaged("the metadata key " + key + " is of the unknown type " + type);
        };
    }

    private StoredNumbers numbers(int type, long count, String key) {
        return new StoredNumbers(type, file.bytes(count * StoredNumbers.size(type), key));
    }

    private List<?> array(String key) {
        int type = file.int32("the element type of " + key);
        if (type == ARRAY) {
            throw damaged("the metadata key " + key + " is an array of arrays, which no known model has");
        }
        long count = file.int64("the length of " + key);
        if (count < 0 || count > elementsLeft || count > file.remaining()) {
            throw damaged("the metadata key " + key + " would have " + Long.toUnsignedString(count) + " elements");
        }
        elementsLeft -= (int) count;
        if (type == TEXT) {
            return texts((int) count, key);
        }
        if (StoredNumbers.size(type) == 0) {
            throw damaged("the elements of the metadata key " + key + " are of the unknown type " + type);
        }
        return numbers(type, count, key);
    }

    private List<String> texts(int count, String key) {
        StoredTexts texts = new StoredTexts(count);
        while (texts.size() < count) {
            if (!file.bufferedText(texts)) { // one that goes on beyond the buffer, or that no file can have
                texts.add(file, (int) textBytes(key, texts.room()), key);
            }
        }
        return texts;
    }

    private GgufFile.Tensor info() {
        String name = text("a tensor name", MAX_NAME_BYTES);
        int dimensions = file.int32("the dimensions of " + name);
        if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
            throw damaged("tensor " + name + " would have " + Integer.toUnsignedString(dimensions)
                    + " dimensions, expected 1 to " + MAX_DIMENSIONS);
        }
        List<Long> shape = new ArrayList<>();
        for (int i = 0; i < dimensions; i++) {
            shape.add(0, file.int64("the shape of " + name));
        }
        return new GgufFile.Tensor(
                file.path(), name, shape, file.int32("the type of " + name), file.int64("the offset of " + name));
    }

    private GgufFile.Tensor checked(GgufFile.Tensor info, long dataStart, int alignment) {
        Shapes.of(file.path() + ": tensor " + info.name(), info.shape());
        GgmlType.of(info.type()).ifPresent(type -> {
            if (info.shape().get(info.shape().size() - 1) % type.blockValues() != 0) {
                throw damaged("tensor " + info.name() + " has rows of "
                        + info.shape().get(info.shape().size() - 1) + " values, expected whole " + type + " blocks of "
                        + type.blockValues());
            }
        });
        long dataBytes = Math.max(0, file.length() - dataStart);
        long bytes;
        try {
            bytes = info.bytes().orElse(0L);
        } catch (ArithmeticException e) {
            throw damaged("tensor " + info.name() + " has the shape " + info.shape() + ", more than a file can hold");
        }
        if (info.offset() < 0 || info.offset() % alignment != 0) {
            throw damaged("tensor " + info.name() + " begins at " + Long.toUnsignedString(info.offset())
                    + ", expected a multiple of " + alignment);
        }
        if (info.offset() > dataBytes || bytes > dataBytes - info.offset()) {
            throw new CheckpointException(file.path() + " is cut off: tensor " + info.name() + " needs " + bytes
                    + " bytes at byte " + info.offset() + " of the data, the file has " + dataBytes
                    + ": fetch the file again");
        }
        return new GgufFile.Tensor(info.file(), info.name(), info.shape(), info.type(), dataStart + info.offset());
    }

    /**
     * Each tensor begins at the aligned end of the one before, in the header's order: so files are written, and llama.cpp reads no others. What a type or a
     * shape leaves over would else not be missed.
     */
    private void requireOneAfterTheOther(List<GgufFile.Tensor> relative, int alignment) {
        long end = 0;
        boolean isKnown = true; // nobody here knows how long a tensor of another type is
        for (GgufFile.Tensor tensor : relative) {
            long start = tensor.offset();
            if (start < end || isKnown && start > end) {
                throw damaged("tensor " + tensor.name() + " begins at byte " + start + " of the data, expected "
                        + (isKnown ? "" : "at least ") + end + ", where what is before it ends");
            }
            isKnown = tensor.bytes().isPresent();
            end = (start + tensor.bytes().orElse(1L) + alignment - 1) & -(long) alignment;
        }
    }

    private CheckpointException damaged(String what) {
        return new CheckpointException(file.path() + " has a damaged GGUF header: " + what);
    }
}
