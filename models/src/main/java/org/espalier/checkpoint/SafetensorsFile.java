package org.espalier.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of one safetensors file: 8 bytes of header length, a JSON object, then the data
 * (<a href="https://github.com/huggingface/safetensors#format">format</a>).
 *
 * @param metadata the header's {@code __metadata__}
 * @param entries by tensor name, in the header's order; together they are the file's data, without overlap or holes
 */
public record SafetensorsFile(Path path, Map<String, String> metadata, Map<String, Tensor> entries) {

    /** The format's own limit. */
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final int MAX_DIMENSIONS = 8;
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /**
     * @param type as written: {@code BF16}, {@code U32} ...
     * @param begin of the first byte, from the start of the file
     * @param end of the byte after the last
     */
    public record Tensor(Path file, String type, List<Long> shape, long begin, long end) {
        public Tensor {
            shape = List.copyOf(shape);
        }

        public long bytes() {
            return end - begin;
        }
    }

    public SafetensorsFile {
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    }

    /** @throws CheckpointException if the file is missing, cut off or malformed */
    public static SafetensorsFile read(Path path) {
        try (LittleEndianFile file = LittleEndianFile.open(path)) {
            long headerBytes = file.int64("the length of the safetensors header");
            if (headerBytes < 2 || headerBytes > MAX_HEADER_BYTES) {
                throw new CheckpointException(path + " is not a safetensors file: its header would have "
                        + Long.toUnsignedString(headerBytes) + " bytes, expected 2 to " + MAX_HEADER_BYTES);
            }
            byte[] header = file.bytes(headerBytes, "the safetensors header");
            return new Parser(path, file.position(), file.length()).parse(header);
        }
    }

    /** Bytes of one value; 0 for a type whose size is not known here. */
    static int bytesOf(String type) {
        return switch (type) {
            case "F64", "I64", "U64", "C64" -> 8;
            case "F32", "I32", "U32" -> 4;
            case "F16", "BF16", "I16", "U16" -> 2;
            case "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0" -> 1;
            default -> 0;
        };
    }

    private record Parser(Path path, long dataStart, long fileBytes) {

        SafetensorsFile parse(byte[] header) {
            Map<String, String> metadata = new LinkedHashMap<>();
            Map<String, Tensor> entries = new LinkedHashMap<>();
            try (JsonParser json = JSON.createParser(header)) {
                expect(json.nextToken() == JsonToken.START_OBJECT, "is not a JSON object");
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String name = json.currentName();
                    expect(json.nextToken() == JsonToken.START_OBJECT, "has no object for " + name);
                    if (name.equals("__metadata__")) {
                        readMetadata(json, metadata);
                    } else {
                        entries.put(name, readEntry(json, name));
                    }
                }
                expect(
                        json.currentToken() == JsonToken.END_OBJECT && json.nextToken() == null,
                        "continues after its end");
            } catch (IOException e) {
                throw new CheckpointException(
                        path + " has a damaged safetensors header: " + firstLine(e.getMessage()), e);
            }
            requireWhole(entries);
            return new SafetensorsFile(path, metadata, entries);
        }

        private void readMetadata(JsonParser json, Map<String, String> metadata) throws IOException {
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String key = json.currentName();
                expect(json.nextToken() == JsonToken.VALUE_STRING, "has no text for __metadata__ " + key);
                metadata.put(key, json.getText());
            }
        }

        private Tensor readEntry(JsonParser json, String name) throws IOException {
            String type = null;
            List<Long> shape = null;
            List<Long> offsets = null;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String key = json.currentName();
                json.nextToken();
                switch (key) {
                    case "dtype" -> {
                        expect(json.currentToken() == JsonToken.VALUE_STRING, "has no text as dtype of " + name);
                        type = json.getText();
                    }
                    case "shape" -> shape = readNumbers(json, name, MAX_DIMENSIONS);
                    case "data_offsets" -> offsets = readNumbers(json, name, 2);
                    default -> throw damaged("has the unknown key " + key + " for " + name);
                }
            }
            expect(
                    type != null && shape != null && offsets != null && offsets.size() == 2,
                    "has no dtype, shape and two data_offsets for " + name);
            return checked(name, type, shape, offsets);
        }

        private List<Long> readNumbers(JsonParser json, String name, int most) throws IOException {
            expect(json.currentToken() == JsonToken.START_ARRAY, "has no list of numbers for " + name);
            List<Long> numbers = new ArrayList<>();
            while (json.nextToken() != JsonToken.END_ARRAY) {
                expect(
                        json.currentToken() == JsonToken.VALUE_NUMBER_INT
                                && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER
                                && json.getLongValue() >= 0
                                && numbers.size() < most,
                        "has a dimension or offset of " + name + " that is not a whole number, or too many of them");
                numbers.add(json.getLongValue());
            }
            return numbers;
        }

        private Tensor checked(String name, String type, List<Long> shape, List<Long> offsets) {
            long begin = offsets.get(0);
            long end = offsets.get(1);
            long dataBytes = fileBytes - dataStart;
            if (end > dataBytes) {
                throw new CheckpointException(path + " is cut off: tensor " + name + " ends at byte " + end
                        + " of the data, the file has " + dataBytes + ": fetch the file again");
            }
            long expected = bytesOf(type);
            try {
                for (long dimension : shape) {
                    expected = Math.multiplyExact(expected, dimension);
                }
            } catch (ArithmeticException e) {
                expected = -1;
            }
            boolean sized = bytesOf(type) > 0;
            if (begin > end || (sized && end - begin != expected)) {
                throw damaged("gives tensor " + name + " " + type + " " + shape + " the bytes " + begin + " to " + end
                        + ", which do not fit");
            }
            return new Tensor(path, type, shape, dataStart + begin, dataStart + end);
        }

        /** The format allows neither bytes that two tensors share nor bytes that are of none. */
        private void requireWhole(Map<String, Tensor> entries) {
            List<Map.Entry<String, Tensor>> ordered = new ArrayList<>(entries.entrySet());
            ordered.sort(Comparator.comparingLong(
                            (Map.Entry<String, Tensor> e) -> e.getValue().begin())
                    .thenComparingLong(e -> e.getValue().end()));
            long expected = dataStart;
            for (Map.Entry<String, Tensor> entry : ordered) {
                long begin = entry.getValue().begin();
                if (begin != expected) {
                    throw damaged("lets tensor " + entry.getKey() + " begin at byte " + (begin - dataStart)
                            + " of the data, expected " + (expected - dataStart) + ", where what is before it ends");
                }
                expected = entry.getValue().end();
            }
            if (expected != fileBytes) {
                throw damaged("has tensors for the first " + (expected - dataStart)
                        + " bytes of the data, the file has " + (fileBytes - dataStart));
            }
        }

        private void expect(boolean holds, String what) {
            if (!holds) {
                throw damaged(what);
            }
        }

        private CheckpointException damaged(String what) {
            return new CheckpointException(path + " has a damaged safetensors header: it " + what);
        }

        private static String firstLine(String message) {
            return message.lines().findFirst().orElse("");
        }
    }
}
