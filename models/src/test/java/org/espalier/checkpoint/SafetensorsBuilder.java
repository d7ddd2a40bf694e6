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
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** Writes small safetensors files whose data is zeros unless it is given. */
final class SafetensorsBuilder {
    private final List<String> entries = new ArrayList<>();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();

    SafetensorsBuilder format(String format) {
        entries.add("\"__metadata__\":{\"format\":\"" + format + "\"}");
        return this;
    }

    SafetensorsBuilder tensor(String name, String type, long... shape) {
        long bytes = SafetensorsFile.bytesOf(type) == 0 ? 1 : SafetensorsFile.bytesOf(type);
        for (long dimension : shape) {
            bytes *= dimension;
        }
        return tensor(name, type, new byte[(int) bytes], shape);
    }

    /** @param content as long as the shape asks for */
    SafetensorsBuilder tensor(String name, String type, byte[] content, long... shape) {
        String dimensions = LongStream.of(shape).mapToObj(Long::toString).collect(Collectors.joining(","));
        entry(name, type, dimensions, data.size(), data.size() + content.length);
        data.writeBytes(content);
        return this;
    }

    /** As written, right or wrong; takes no data. */
    SafetensorsBuilder entry(String name, String type, String shape, long begin, long end) {
        entries.add("\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + begin
                + "," + end + "]}");
        return this;
    }

    byte[] bytes() {
        return bytes("{" + String.join(",", entries) + "}", data.toByteArray());
    }

    static byte[] bytes(String header, int dataBytes) {
        return bytes(header, new byte[dataBytes]);
    }

    private static byte[] bytes(String header, byte[] data) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .array());
        out.writeBytes(text);
        out.writeBytes(data);
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
