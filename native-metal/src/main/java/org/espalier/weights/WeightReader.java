package org.espalier.weights;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** Opens weights, and each of their files once. Any thread may read. */
public final class WeightReader implements AutoCloseable {

    private final Function<Path, FileBytes> open;
    private final Map<Path, FileBytes> files = new ConcurrentHashMap<>();

    private WeightReader(Function<Path, FileBytes> open) {
        this.open = open;
    }

    /** Maps the files: for weights that are read again and again. */
    public static WeightReader mapped() {
        return new WeightReader(MappedFile::new);
    }

    /** Reads files without mapping them, so that memory stays small: for weights that are read once. */
    public static WeightReader streaming() {
        return new WeightReader(ChannelFile::new);
    }

    /**
     * @param name for errors
     * @throws WeightException if a file cannot be read, or a piece lies outside it
     */
    public Matrix open(String name, Weight weight) {
        WeightCheck.check(
                name, weight, file -> files.computeIfAbsent(file, open).size());
        return new Matrix(name, weight, files);
    }

    @Override
    public void close() {
        files.values().forEach(FileBytes::close);
        files.clear();
    }
}
