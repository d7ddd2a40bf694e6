package org.espalier.weights;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Parts of files, each byte once.
 *
 * @param byFile ascending, none touching another
 */
public record FileRanges(Map<Path, List<Range>> byFile) {

    /** Bytes {@code begin} to {@code end} exclusive. */
    public record Range(long begin, long end) {
        public long bytes() {
            return end - begin;
        }
    }

    public FileRanges {
        byFile = Collections.unmodifiableMap(new TreeMap<>(byFile));
    }

    /** What the weights read; ranges less than {@code gap} bytes apart become one. */
    public static FileRanges of(Collection<Weight> weights, long gap) {
        Map<Path, List<Range>> found = new TreeMap<>();
        for (Weight weight : weights) {
            WeightFormat format = weight.format();
            int columns = weight.storedColumns();
            for (int index = 0; index < weight.count(); index++) {
                Piece piece = weight.pieces().get(index);
                add(found, weight, piece.values(), format.rowBytes(columns), gap);
                add(found, weight, piece.scales(), format.scaleRowBytes(columns), gap);
                add(found, weight, piece.biases(), format.biasRowBytes(columns), gap);
            }
        }
        found.replaceAll((file, ranges) -> union(ranges, gap));
        return new FileRanges(found);
    }

    /** Rows that follow each other soon are one range from the start, since there are very many of them. */
    private static void add(Map<Path, List<Range>> found, Weight weight, Region region, long rowBytes, long gap) {
        if (region == null || rowBytes == 0) {
            return;
        }
        List<Range> ranges = found.computeIfAbsent(region.file(), file -> new ArrayList<>());
        int rows = weight.storedRows();
        long step = rows == 1 ? 0 : weight.storedRow(1) - weight.storedRow(0);
        boolean close = step * region.rowBytes() - rowBytes < Math.max(1, gap);
        if (close) {
            ranges.add(new Range(start(region, weight, 0), start(region, weight, rows - 1) + rowBytes));
            return;
        }
        for (int row = 0; row < rows; row++) {
            ranges.add(new Range(start(region, weight, row), start(region, weight, row) + rowBytes));
        }
    }

    private static long start(Region region, Weight weight, int row) {
        return region.offset() + region.index(weight.storedRow(row)) * region.rowBytes();
    }

    private static List<Range> union(List<Range> ranges, long gap) {
        List<Range> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingLong(Range::begin));
        List<Range> union = new ArrayList<>();
        for (Range range : sorted) {
            Range last = union.isEmpty() ? null : union.get(union.size() - 1);
            if (last != null && range.begin() - last.end() < Math.max(1, gap)) {
                union.set(union.size() - 1, new Range(last.begin(), Math.max(last.end(), range.end())));
            } else {
                union.add(range);
            }
        }
        return List.copyOf(union);
    }

    /** Of all files. */
    public long bytes() {
        return byFile.values().stream()
                .flatMap(List::stream)
                .mapToLong(Range::bytes)
                .sum();
    }
}
