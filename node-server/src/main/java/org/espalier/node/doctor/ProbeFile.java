package org.espalier.node.doctor;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import org.espalier.weights.Region;

/** A file of weights that grows at its end. */
final class ProbeFile implements AutoCloseable {

    private final Path path;
    private final RandomAccessFile file;
    private long end;

    /** @param path of a file that is made */
    ProbeFile(Path path) throws IOException {
        this.path = path;
        this.file = new RandomAccessFile(path.toFile(), "rw");
    }

    /** Zeros, of which nothing is written. */
    Region hole(long rows, long rowBytes) throws IOException {
        Region region = new Region(path, end, rowBytes);
        end += rows * rowBytes;
        file.setLength(end);
        return region;
    }

    /** As a file of nothing but repeated blocks has it there: two regions begin at different places of the block. */
    Region repeated(long rows, long rowBytes, byte[] block) throws IOException {
        Region region = hole(rows, rowBytes);
        file.seek(region.offset());
        for (long at = region.offset(); at < end; ) {
            int from = (int) (at % block.length);
            int count = (int) Math.min(block.length - from, end - at);
            file.write(block, from, count);
            at += count;
        }
        return region;
    }

    /** Written once. */
    Region of(long rowBytes, byte[] bytes) throws IOException {
        Region region = hole(bytes.length / rowBytes, rowBytes);
        file.seek(region.offset());
        file.write(bytes);
        return region;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
