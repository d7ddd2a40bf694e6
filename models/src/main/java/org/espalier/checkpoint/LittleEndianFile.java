package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.espalier.EspalierException;
import org.espalier.RegularFile;

/**
 * Reads little-endian values one after the other from the start of a file. Every length is checked against what is left of the file
 * before anything is allocated, so a hostile length is an error and not an exhausted heap.
 */
final class LittleEndianFile implements AutoCloseable {
    private static final int BUFFER = 64 * 1024;

    private final Path path;
    private final FileChannel channel;
    private final long length;
    private long loaded; // bytes that have been read from the file into the buffer so far
    private final ByteBuffer buffer =
            ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN).limit(0);

    private LittleEndianFile(Path path, FileChannel channel, long length) {
        this.path = path;
        this.channel = channel;
        this.length = length;
    }

    static LittleEndianFile open(Path path) {
        FileChannel channel = null;
        try {
            if (Files.isDirectory(path)) {
                throw new CheckpointException(path + " is a directory, expected a file");
            }
            channel = RegularFile.open(path);
            return new LittleEndianFile(path, channel, channel.size());
        } catch (NoSuchFileException e) {
            throw new CheckpointException(path + " does not exist: check the path", e);
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + path + ": " + EspalierException.reason(e, path), e);
        }
    }

    Path path() {
        return path;
    }

    long length() {
        return length;
    }

    /** Bytes from here to the end of the file. */
    long remaining() {
        return length - position();
    }

    /** Offset of the next value. */
    long position() {
        return loaded - buffer.remaining();
    }

    byte int8(String what) {
        return next(Byte.BYTES, what).get();
    }

    short int16(String what) {
        return next(Short.BYTES, what).getShort();
    }

    int int32(String what) {
        return next(Integer.BYTES, what).getInt();
    }

    long int64(String what) {
        return next(Long.BYTES, what).getLong();
    }

    float float32(String what) {
        return next(Float.BYTES, what).getFloat();
    }

    double float64(String what) {
        return next(Double.BYTES, what).getDouble();
    }

    /** UTF-8 with invalid bytes replaced. */
    String text(long bytes, String what) {
        return bytes == 0 ? "" : new String(bytes(bytes, what), StandardCharsets.UTF_8);
    }

    byte[] bytes(long count, String what) {
        require(count, what);
        byte[] result = new byte[(int) count];
        read(result, 0, result.length, what);
        return result;
    }

    /** {@code count} bytes to {@code into} from {@code at} on. */
    void read(byte[] into, int at, int count, String what) {
        for (int done = 0; done < count; ) {
            int part = Math.min(BUFFER, count - done);
            next(part, what).get(into, at + done, part);
            done += part;
        }
    }

    /**
     * Takes a text after its length in 8 bytes, if it lies whole in what has been read of the file. Vocabularies have hundreds of thousands, and this is
     * one method, soon compiled, with little in it.
     */
    boolean bufferedText(StoredTexts texts) {
        int at = buffer.position() + Long.BYTES;
        int rest = buffer.limit() - at;
        if (rest < 0) {
            return false;
        }
        long length = buffer.getLong(at - Long.BYTES);
        if (length < 0 || length > rest || length > texts.room()) {
            return false;
        }
        texts.add(buffer.array(), at, (int) length);
        buffer.position(at + (int) length);
        return true;
    }

    /** @throws CheckpointException unless {@code count} bytes are left */
    void require(long count, String what) {
        if (count < 0 || count > remaining() || count > Integer.MAX_VALUE - 8) {
            throw new CheckpointException(path + " is cut off or damaged: " + what + " needs "
                    + Long.toUnsignedString(count) + " bytes at offset " + position() + ", the file has " + remaining()
                    + " left");
        }
    }

    private ByteBuffer next(int bytes, String what) {
        if (buffer.remaining() < bytes) {
            require(bytes, what);
            try {
                buffer.compact();
                for (int read = 0; read >= 0 && buffer.position() < bytes; loaded += Math.max(0, read)) {
                    read = channel.read(buffer);
                }
                buffer.flip();
            } catch (IOException e) {
                throw failed(e);
            }
            if (buffer.remaining() < bytes) {
                throw new CheckpointException(path + " was truncated while " + what + " was read");
            }
        }
        return buffer;
    }

    private CheckpointException failed(IOException e) {
        return new CheckpointException("cannot read " + path + ": " + EspalierException.reason(e, path), e);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }
}
