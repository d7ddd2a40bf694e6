package org.espalier.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes small safetensors files whose data is zeros. */
final class SafetensorsBuilder {
    private final List<String> entries = new ArrayList<>();
    private long offset;

    SafetensorsBuilder format(String format) {
        entries.add("\"__metadata__\":{\"format\":\"" + format + "\"}");
        return this;
    }

    SafetensorsBuilder tensor(String name, String type, long... shape) {
        long bytes = SafetensorsFile.bytesOf(type) == 0 ? 1 : SafetensorsFile.bytesOf(type);
        List<String> dimensions = new ArrayList<>();
        for (long dimension : shape) {
            bytes *= dimension;
            dimensions.add(Long.toString(dimension));
        }
        entry(name, type, String.join(",", dimensions), offset, offset + bytes);
        offset += bytes;
        return this;
    }

    /** As written, right or wrong; takes no data. */
    SafetensorsBuilder entry(String name, String type, String shape, long begin, long end) {
        entries.add("\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + begin
                + "," + end + "]}");
        return this;
    }

    byte[] bytes() {
        return bytes("{" + String.join(",", entries) + "}", (int) offset);
    }

    static byte[] bytes(String header, int dataBytes) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .array());
        out.writeBytes(text);
        out.writeBytes(new byte[dataBytes]);
        return out.toByteArray();
    }

    Path write(Path file) {
        return write(file, bytes());
    }

    static Path write(Path file, byte[] bytes) {
        try {
            return Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
