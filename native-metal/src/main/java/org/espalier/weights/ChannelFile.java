package org.espalier.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.espalier.EspalierException;
import org.espalier.RegularFile;

/** A file that is read once: nothing of it stays in this process, whose memory a mapped file would seem to fill. */
final class ChannelFile implements FileBytes {

    private final Path path;
    private final FileChannel channel;
    private final long size;

    ChannelFile(Path path) {
        this.path = path;
        try {
            channel = RegularFile.open(path);
            size = channel.size();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long offset, byte[] into, int length) {
        ByteBuffer bytes = ByteBuffer.wrap(into, 0, length);
        try {
            while (bytes.hasRemaining()) {
                if (channel.read(bytes, offset + bytes.position()) < 0) {
                    throw new IOException("it was truncated while it was read");
                }
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private WeightException failed(IOException e) {
        return new WeightException(
                "the weights' file " + path + " cannot be read: " + EspalierException.reason(e, path), e);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
