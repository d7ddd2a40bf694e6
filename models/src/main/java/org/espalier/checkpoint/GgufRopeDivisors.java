package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.RegularFile;

/**
 * {@code rope_freqs.weight}: llama.cpp's converter stores Llama 3.1's rope scaling as one divisor for every frequency instead of
 * its four parameters. It is configuration, and so the only tensor that is read here.
 */
final class GgufRopeDivisors {
    static final String TENSOR = "rope_freqs.weight";

    /** Half the widest head; far above any model's. */
    private static final int MAX_DIVISORS = 4096;

    private GgufRopeDivisors() {}

    static Optional<List<Float>> of(GgufFile file) {
        GgufFile.Tensor info = file.tensors().get(TENSOR);
        if (info == null) {
            return Optional.empty();
        }
        boolean vector = info.shape().size() == 1 && info.shape().get(0) <= MAX_DIVISORS;
        if (!vector || GgmlType.of(info.type()).orElse(null) != GgmlType.F32) {
            throw new CheckpointException(file.path() + ": tensor " + TENSOR + " is of type number " + info.type()
                    + " and shape " + info.shape() + ", expected a vector of F32, half a head long");
        }
        ByteBuffer bytes = ByteBuffer.allocate(info.shape().get(0).intValue() * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        try (FileChannel channel = RegularFile.open(info.file())) {
            while (bytes.hasRemaining() && channel.read(bytes, info.offset() + bytes.position()) >= 0) {}
        } catch (IOException e) {
            throw new CheckpointException(
                    "cannot read " + TENSOR + " of " + info.file() + ": " + EspalierException.reason(e, info.file()),
                    e);
        }
        if (bytes.hasRemaining()) {
            throw new CheckpointException(info.file() + " was truncated while " + TENSOR + " was read");
        }
        List<Float> divisors = new ArrayList<>();
        bytes.flip();
        while (bytes.hasRemaining()) {
            divisors.add(bytes.getFloat());
        }
        return Optional.of(divisors);
    }
}
