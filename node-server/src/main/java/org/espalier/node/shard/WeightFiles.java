package org.espalier.node.shard;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.espalier.program.Program;
import org.espalier.weights.FileRanges;

/** The files that a program's weights lie in, as they were when it was loaded: what is mapped of a file that has changed since is worth nothing. */
public record WeightFiles(Map<Path, Optional<Stamp>> stamps) {

    /**
     * Tells whether a file is still the one that was mapped.
     *
     * @param key the system's identity of it, null where it has none: a file that took its place has another
     */
    public record Stamp(long bytes, FileTime changed, Object key) {

        private static Optional<Stamp> of(Path file) {
            try {
                BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
                return Optional.of(new Stamp(found.size(), found.lastModifiedTime(), found.fileKey()));
            } catch (IOException e) {
                return Optional.empty(); // it is not there any more
            }
        }
    }

    /** Looks at the files now. */
    public static WeightFiles of(Program program) {
        Map<Path, Optional<Stamp>> stamps = new TreeMap<>();
        FileRanges.of(program.weights().values(), 0)
                .byFile()
                .keySet()
                .forEach(file -> stamps.put(file, Stamp.of(file)));
        return new WeightFiles(stamps);
    }

    /** Whether none of them has changed, or gone; may block where the files lie on a share that does not answer. */
    public boolean unchanged() {
        return stamps.entrySet().stream()
                .allMatch(entry ->
                        entry.getValue().isPresent() && Stamp.of(entry.getKey()).equals(entry.getValue()));
    }
}
