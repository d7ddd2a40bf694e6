package org.espalier.weights;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.EspalierException;
import org.espalier.RegularFile;

/**
 * A file mapped in windows, since a Java buffer cannot exceed 2 GiB. Windows begin every GiB and reach two GiB, so that any row below one
 * GiB is entirely in the window in which it begins.
 */
final class MappedFile implements FileBytes {

    private static final long STRIDE = 1L << 30;
    private static final long REACH = Integer.MAX_VALUE;

    private final Path path;
    private final long size;
    private final List<MappedByteBuffer> windows = new ArrayList<>();

    MappedFile(Path path) {
        this.path = path;
        try (FileChannel channel = RegularFile.open(path)) {
            size = channel.size();
            for (long start = 0; start < size; start += STRIDE) {
                windows.add(channel.map(FileChannel.MapMode.READ_ONLY, start, Math.min(REACH, size - start)));
            }
        } catch (IOException e) {
            String what = Files.exists(path) ? "cannot be read: " + EspalierException.reason(e, path) : "is gone";
            throw new WeightException("the weights' file " + path + " " + what, e);
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long offset, byte[] into, int length) {
        windows.get((int) (offset / STRIDE)).get((int) (offset % STRIDE), into, 0, length);
    }

    @Override
    public void close() {
        windows.clear();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
