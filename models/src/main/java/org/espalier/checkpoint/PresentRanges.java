package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.espalier.weights.FileRanges;
import org.espalier.weights.Weight;

/**
 * Which bytes of a file were fetched, if only those of a shard were: the record {@code FILE.ranges.json} beside it has their commit, and
 * begin and end of each range. A file without a record is complete.
 */
public final class PresentRanges {

    private static final String ENDING = ".ranges.json";

    private final String commit;
    private final TreeMap<Long, Long> ends = new TreeMap<>();

    /** No ranges yet. */
    public PresentRanges(String commit) {
        this.commit = commit;
    }

    /**
     * The record of a file; empty if the file is complete.
     *
     * @throws CheckpointException if the record is damaged
     */
    public static Optional<PresentRanges> of(Path file) {
        Path record = record(file);
        if (!Files.exists(record)) {
            return Optional.empty();
        }
        ObjectNode json;
        try {
            json = JsonFile.read(record);
        } catch (CheckpointException e) {
            throw damaged(file, e);
        }
        if (json.has("ranges") && !json.path("ranges").isArray()) {
            throw damaged(file, null);
        }
        PresentRanges ranges = new PresentRanges(json.path("commit").asText(""));
        for (JsonNode range : json.path("ranges")) {
            long begin = range.path(0).asLong(-1);
            long end = range.path(1).asLong(-1);
            if (begin < 0 || end < begin) {
                throw damaged(file, null);
            }
            ranges.add(begin, end);
        }
        return Optional.of(ranges);
    }

    private static CheckpointException damaged(Path file, CheckpointException cause) {
        return new CheckpointException(
                record(file) + ", which says what was fetched of " + file
                        + ", is damaged or cannot be read: delete both, and fetch the file again",
                cause);
    }

    /**
     * Fails unless every byte of the weights is on this machine: a node may have fetched its own layers only.
     *
     * @throws CheckpointException naming the first weight that is missing
     */
    public static void require(Map<String, Weight> weights) {
        Map<Path, Optional<PresentRanges>> partial = new HashMap<>();
        if (arePresent(weights.values(), partial)) {
            return;
        }
        weights.forEach((name, weight) -> {
            if (!arePresent(List.of(weight), partial)) {
                Path folder = weight.pieces().get(0).values().file().getParent();
                throw new CheckpointException(folder + " holds only some layers, " + name
                        + " was not fetched: pull the layers that this node shall run, or the whole model");
            }
        });
    }

    private static boolean arePresent(Collection<Weight> weights, Map<Path, Optional<PresentRanges>> partial) {
        return FileRanges.of(weights, 0).byFile().entrySet().stream().allMatch(read -> {
            Optional<PresentRanges> present = partial.computeIfAbsent(read.getKey(), PresentRanges::of);
            return present.isEmpty()
                    || read.getValue().stream().allMatch(range -> present.get().covers(range.begin(), range.end()));
        });
    }

    private static Path record(Path file) {
        return file.resolveSibling(file.getFileName() + ENDING);
    }

    public String commit() {
        return commit;
    }

    /** Adds the bytes {@code begin} to {@code end} exclusive. */
    public void add(long begin, long end) {
        long from = begin;
        long to = end;
        Map.Entry<Long, Long> near = ends.floorEntry(to);
        while (near != null && near.getValue() >= from) {
            from = Math.min(from, near.getKey());
            to = Math.max(to, near.getValue());
            ends.remove(near.getKey());
            near = ends.floorEntry(to);
        }
        ends.put(from, to);
    }

    public boolean covers(long begin, long end) {
        Map.Entry<Long, Long> range = ends.floorEntry(begin);
        return begin >= end || range != null && range.getValue() >= end;
    }

    /** Pairs of begin and end, ascending, none touching another. */
    public List<long[]> all() {
        return ends.entrySet().stream()
                .map(range -> new long[] {range.getKey(), range.getValue()})
                .toList();
    }

    /** The parts of bytes {@code begin} to {@code end} that are missing: pairs of begin and end. */
    public List<long[]> missing(long begin, long end) {
        List<long[]> gaps = new ArrayList<>();
        long at = begin;
        Map.Entry<Long, Long> before = ends.floorEntry(begin);
        if (before != null) {
            at = Math.max(at, before.getValue());
        }
        for (Map.Entry<Long, Long> range : ends.subMap(begin, false, end, false).entrySet()) {
            if (range.getKey() > at) {
                gaps.add(new long[] {at, range.getKey()});
            }
            at = Math.max(at, range.getValue());
        }
        if (at < end) {
            gaps.add(new long[] {at, end});
        }
        return gaps;
    }

    /** Writes the record beside the file, all or nothing. */
    public void write(Path file) throws IOException {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("commit", commit);
        ends.forEach(
                (begin, end) -> json.withArray("ranges").addArray().add(begin).add(end));
        Path fresh = record(file).resolveSibling(record(file).getFileName() + ".new");
        new ObjectMapper().writeValue(fresh.toFile(), json);
        Files.move(fresh, record(file), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
