package org.espalier.engine.library;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.espalier.program.Program;
import org.espalier.weights.FileRanges.Range;
import org.espalier.weights.Piece;
import org.espalier.weights.Pieces;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightFormat;

/**
 * Copies of a program's weights in files of their own, one for each file of the checkpoint. Each region keeps the distances of its rows, so what lies
 * between rows that are read is a hole.
 */
final class CopiedWeights {

    /** Where a tensor begins is as it was within so many bytes, as a cache line has. */
    private static final int ALIGNMENT = 64;

    private final Path directory;
    /** For each file, the first bytes of the parts that regions span, with their ends. */
    private final Map<Path, NavigableMap<Long, Long>> spans = new TreeMap<>();
    /** For each file, where each part begins in the copy. */
    private final Map<Path, NavigableMap<Long, Long>> places = new TreeMap<>();

    private final Map<Path, Path> copies = new TreeMap<>();

    private CopiedWeights(Path directory) {
        this.directory = directory;
    }

    /** The same program over files in {@code directory}. */
    static Program into(Path directory, Program program) throws IOException {
        CopiedWeights copied = new CopiedWeights(directory);
        program.weights().values().forEach(copied::span);
        copied.spans.keySet().forEach(copied::place);
        for (Map.Entry<Path, List<Range>> file :
                program.plan().ranges(0).byFile().entrySet()) {
            copied.copy(file.getKey(), file.getValue());
        }
        Map<String, Weight> weights = new TreeMap<>();
        program.weights().forEach((name, weight) -> weights.put(name, copied.moved(weight)));
        return new Program(
                program.name(),
                program.hidden(),
                program.slots(),
                program.input(),
                program.output(),
                program.logits(),
                program.ops(),
                weights,
                program.caches());
    }

    private void span(Weight weight) {
        WeightFormat format = weight.format();
        int columns = weight.storedColumns();
        for (int i = 0; i < weight.count(); i++) {
            Piece piece = weight.pieces().get(i);
            span(weight, piece.values(), format.rowBytes(columns));
            span(weight, piece.scales(), format.scaleRowBytes(columns));
            span(weight, piece.biases(), format.biasRowBytes(columns));
        }
    }

    /** From a region's offset, even if its first rows are not read, to the end of the last row. */
    private void span(Weight weight, Region region, long rowBytes) {
        if (region == null) {
            return;
        }
        long last = region.index(weight.storedRow(weight.storedRows() - 1));
        long begin = region.offset();
        long end = begin + last * region.rowBytes() + rowBytes;
        NavigableMap<Long, Long> all = spans.computeIfAbsent(region.file(), file -> new TreeMap<>());
        Map.Entry<Long, Long> before = all.floorEntry(begin);
        if (before != null && before.getValue() >= begin) {
            begin = before.getKey();
            end = Math.max(end, before.getValue());
        }
        for (Map.Entry<Long, Long> after = all.ceilingEntry(begin);
                after != null && after.getKey() <= end;
                after = all.ceilingEntry(begin)) {
            end = Math.max(end, after.getValue());
            all.remove(after.getKey());
        }
        all.put(begin, end);
    }

    private void place(Path file) {
        copies.put(file, directory.resolve("weights-" + copies.size()));
        NavigableMap<Long, Long> placed = new TreeMap<>();
        long at = 0;
        for (Map.Entry<Long, Long> span : spans.get(file).entrySet()) {
            at += Math.floorMod(span.getKey() - at, (long) ALIGNMENT);
            placed.put(span.getKey(), at);
            at += span.getValue() - span.getKey();
        }
        places.put(file, placed);
    }

    /** Where byte {@code offset} of a file is in its copy. */
    private long place(Path file, long offset) {
        Map.Entry<Long, Long> part = places.get(file).floorEntry(offset);
        return part.getValue() + offset - part.getKey();
    }

    private void copy(Path file, List<Range> ranges) throws IOException {
        try (FileChannel from = FileChannel.open(file);
                FileChannel to = FileChannel.open(
                        copies.get(file),
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.SPARSE,
                        StandardOpenOption.WRITE)) {
            for (Range range : ranges) {
                to.position(place(file, range.begin()));
                for (long at = range.begin(), bytes; at < range.end(); at += bytes) {
                    bytes = from.transferTo(at, range.end() - at, to);
                    if (bytes == 0) {
                        throw new IOException(file + " is cut off at byte " + at);
                    }
                }
            }
        }
    }

    private Weight moved(Weight weight) {
        List<Piece> pieces = new ArrayList<>();
        for (int i = 0; i < weight.count(); i++) {
            Piece piece = weight.pieces().get(i);
            pieces.add(new Piece(moved(piece.values()), moved(piece.scales()), moved(piece.biases())));
        }
        return new Weight(
                weight.rows(),
                weight.columns(),
                weight.format(),
                weight.transposed(),
                weight.firstRow(),
                weight.rowBlock(),
                weight.rowStep(),
                new Pieces.Apart(pieces));
    }

    private Region moved(Region region) {
        return region == null
                ? null
                : new Region(
                        copies.get(region.file()),
                        place(region.file(), region.offset()),
                        region.rowBytes(),
                        region.sharedBy(),
                        region.skipped());
    }
}
