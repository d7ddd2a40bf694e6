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
 * Byte ranges of files, each byte once.
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

    /** What the weights read; ranges less than {@code gap} bytes apart become one, with the bytes between them. */
    public static FileRanges of(Collection<Weight> weights, long gap) {
        Map<Path, List<Rows>> found = new TreeMap<>();
        for (Weight weight : weights) {
            WeightFormat format = weight.format();
            int columns = weight.storedColumns();
            for (int index = 0; index < weight.count(); index++) {
                Piece piece = weight.pieces().get(index);
                add(found, weight, piece.values(), format.rowBytes(columns));
                add(found, weight, piece.scales(), format.scaleRowBytes(columns));
                add(found, weight, piece.biases(), format.biasRowBytes(columns));
            }
        }
        long near = Math.max(1, gap); // ranges that touch are one
        Map<Path, List<Range>> byFile = new TreeMap<>();
        found.forEach((file, rows) -> byFile.put(file, union(ranges(mergeInterleaved(rows), near), near)));
        return new FileRanges(byFile);
    }

    /**
     * Rows of a file at equal distances.
     *
     * @param bytes of each row
     * @param step bytes from the start of one row to the start of the next
     */
    private record Rows(long begin, long bytes, long step, long count) {

        long end() {
            return begin + (count - 1) * step + bytes;
        }

        /** Whether the other rows follow these, row by row: gate and up that gpt-oss interleaves. */
        boolean precede(Rows other) {
            return begin + bytes == other.begin && step == other.step && count == other.count;
        }

        /** Whether the other rows are these. A record's own comparison is made when it is first used, which every command would wait for. */
        boolean repeat(Rows other) {
            return begin == other.begin && bytes == other.bytes && step == other.step && count == other.count;
        }
    }

    private static void add(Map<Path, List<Rows>> found, Weight weight, Region region, long rowBytes) {
        if (region == null || rowBytes == 0) {
            return;
        }
        List<Rows> all = found.computeIfAbsent(region.file(), file -> new ArrayList<>());
        int rows = weight.storedRows();
        if (weight.rowBlock() > 1) {
            for (int row = 0; row < rows; row += weight.rowBlock()) {
                long first = region.index(weight.storedRow(row));
                long last = region.index(weight.storedRow(row + weight.rowBlock() - 1));
                all.add(new Rows(
                        region.offset() + first * region.rowBytes(), rowBytes, region.rowBytes(), last - first + 1));
            }
            return;
        }
        long stride = rows == 1 ? 1 : weight.storedRow(1) - weight.storedRow(0);
        long first = region.index(weight.storedRow(0));
        long begin = region.offset() + first * region.rowBytes();
        if (stride <= region.sharedBy()) { // every row of the region from the first to the last
            long last = region.index(weight.storedRow(rows - 1));
            all.add(new Rows(begin, rowBytes, region.rowBytes(), last - first + 1));
        } else if (region.sharedBy() == 1) {
            all.add(new Rows(begin, rowBytes, stride * region.rowBytes(), rows));
        } else {
            for (int row = 0; row < rows; row++) {
                long at = region.offset() + region.index(weight.storedRow(row)) * region.rowBytes();
                all.add(new Rows(at, rowBytes, rowBytes, 1));
            }
        }
    }

    /** Merges interleaved rows, since there are millions of them and each would be a range of its own. */
    private static List<Rows> mergeInterleaved(List<Rows> all) {
        List<Rows> sorted = new ArrayList<>(all);
        sorted.sort(Comparator.comparingLong(Rows::begin));
        List<Rows> woven = new ArrayList<>();
        for (Rows rows : sorted) {
            Rows last = woven.isEmpty() ? null : woven.get(woven.size() - 1);
            if (last != null && last.precede(rows)) {
                woven.set(woven.size() - 1, new Rows(last.begin, last.bytes + rows.bytes, last.step, last.count));
            } else if (last == null || !last.repeat(rows)) {
                woven.add(rows);
            }
        }
        return woven;
    }

    private static List<Range> ranges(List<Rows> all, long near) {
        List<Range> ranges = new ArrayList<>();
        for (Rows rows : all) {
            if (rows.step - rows.bytes < near) {
                ranges.add(new Range(rows.begin, rows.end()));
                continue;
            }
            for (long row = 0; row < rows.count; row++) {
                long begin = rows.begin + row * rows.step;
                ranges.add(new Range(begin, begin + rows.bytes));
            }
        }
        return ranges;
    }

    private static List<Range> union(List<Range> ranges, long near) {
        ranges.sort(Comparator.comparingLong(Range::begin));
        List<Range> union = new ArrayList<>();
        for (Range range : ranges) {
            Range last = union.isEmpty() ? null : union.get(union.size() - 1);
            if (last != null && range.begin() - last.end() < near) {
                union.set(union.size() - 1, new Range(last.begin(), Math.max(last.end(), range.end())));
            } else {
                union.add(range);
            }
        }
        return List.copyOf(union);
    }

    /** These bytes but for {@code others}. */
    public FileRanges without(FileRanges others) {
        Map<Path, List<Range>> left = new TreeMap<>();
        byFile.forEach((file, ranges) -> {
            List<Range> parts = new ArrayList<>();
            for (Range range : ranges) {
                long from = range.begin;
                for (Range hole : others.byFile.getOrDefault(file, List.of())) {
                    if (hole.end > from && hole.begin < range.end) {
                        add(parts, from, hole.begin);
                        from = hole.end;
                    }
                }
                add(parts, from, range.end);
            }
            left.put(file, List.copyOf(parts));
        });
        return new FileRanges(left);
    }

    private static void add(List<Range> parts, long begin, long end) {
        if (begin < end) {
            parts.add(new Range(begin, end));
        }
    }

    /** Bytes of all files. */
    public long bytes() {
        return byFile.values().stream()
                .flatMap(List::stream)
                .mapToLong(Range::bytes)
                .sum();
    }

    /** Whether every byte of {@code part} is among these. */
    public boolean contain(FileRanges part) {
        return part.byFile.entrySet().stream()
                .allMatch(file -> file.getValue().stream().allMatch(range -> covers(file.getKey(), range)));
    }

    private boolean covers(Path file, Range part) {
        List<Range> ranges = byFile.getOrDefault(file, List.of());
        int at = Collections.binarySearch(ranges, part, Comparator.comparingLong(Range::begin));
        int before = at >= 0 ? at : -at - 2; // the last range that begins no later
        return before >= 0 && ranges.get(before).end() >= part.end();
    }
}
