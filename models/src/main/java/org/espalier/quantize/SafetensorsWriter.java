package org.espalier.quantize;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.espalier.EspalierException;

/**
 * One safetensors file whose header is known before its data (<a href="https://github.com/huggingface/safetensors#format">format</a>); the data
 * may come in any order and from several threads.
 */
final class SafetensorsWriter implements AutoCloseable {

    /** @param type as in the format: {@code U32}, {@code BF16} ... */
    record Tensor(String name, String type, List<Integer> shape, long bytes) {}

    private static final int ALIGNMENT = 8; // of the data, by spaces behind the header

    private final Path path;
    private final FileChannel channel;
    private final Map<String, Long> offsets = new HashMap<>();

    SafetensorsWriter(Path path, List<Tensor> entries) throws IOException {
        this.path = path;
        byte[] header = header(entries);
        channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        ByteBuffer start = ByteBuffer.allocate(Long.BYTES + header.length).order(ByteOrder.LITTLE_ENDIAN);
        start.putLong(header.length).put(header).flip();
        write(start, 0);
        long at = Long.BYTES + header.length;
        for (Tensor entry : entries) {
            offsets.put(entry.name(), at);
            at += entry.bytes();
        }
    }

    private static byte[] header(List<Tensor> entries) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode json = mapper.createObjectNode();
        json.putObject("__metadata__").put("format", "mlx");
        long at = 0;
        for (Tensor entry : entries) {
            ObjectNode tensor = json.putObject(entry.name());
            tensor.put("dtype", entry.type());
            entry.shape().forEach(tensor.putArray("shape")::add);
            tensor.putArray("data_offsets").add(at).add(at + entry.bytes());
            at += entry.bytes();
        }
        StringBuilder text = new StringBuilder(mapper.writeValueAsString(json));
        while (text.toString().getBytes(StandardCharsets.UTF_8).length % ALIGNMENT != 0) {
            text.append(' ');
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Bytes of the tensor {@code name} from its {@code at}-th on. */
    void write(String name, long at, byte[] bytes, int length) {
        write(ByteBuffer.wrap(bytes, 0, length), offsets.get(name) + at);
    }

    private void write(ByteBuffer bytes, long offset) {
        try {
            for (long at = offset; bytes.hasRemaining(); ) {
                at += channel.write(bytes, at);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + path + ": " + EspalierException.reason(e, path), e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.force(true);
        channel.close();
    }

    /** Splits entries that belong together into files of at most {@code limit} bytes, in order; a greater one has a file of its own. */
    static List<List<Tensor>> files(List<List<Tensor>> together, long limit) {
        List<List<Tensor>> files = new ArrayList<>();
        long size = 0;
        for (List<Tensor> entries : together) {
            long bytes = entries.stream().mapToLong(Tensor::bytes).sum();
            if (files.isEmpty() || size + bytes > limit) {
                files.add(new ArrayList<>());
                size = 0;
            }
            files.get(files.size() - 1).addAll(entries);
            size += bytes;
        }
        return files;
    }
}
