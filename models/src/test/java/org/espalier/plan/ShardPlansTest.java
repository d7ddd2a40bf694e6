package org.espalier.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.espalier.checkpoint.GgufFile;
import org.espalier.checkpoint.Golden;
import org.espalier.checkpoint.SafetensorsFile;
import org.espalier.model.Model;
import org.espalier.program.Plan;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;
import org.espalier.slice.Share;
import org.espalier.slice.Slice;
import org.espalier.slice.SliceGroup;
import org.espalier.weights.FileRanges.Range;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Plans against the headers of all models in the repository. */
class ShardPlansTest {

    private static final Path DEMO = Path.of("demo");

    static List<Path> models() throws IOException {
        List<Path> models = new ArrayList<>(List.of(DEMO));
        try (Stream<Path> files = Files.walk(Golden.tiny(""), 3)) {
            files.filter(file -> file.endsWith("config.json") || file.toString().endsWith(".gguf"))
                    .map(file -> file.endsWith("config.json") ? file.getParent() : file)
                    .sorted()
                    .forEach(models::add);
        }
        return models;
    }

    /** Of all tensors, by file, as the headers have them. */
    private static Map<Path, List<Range>> tensors(Path model) throws IOException {
        Map<Path, List<Range>> ranges = new TreeMap<>();
        if (Files.isRegularFile(model)) {
            for (GgufFile.Tensor tensor : GgufFile.read(model).tensors().values()) {
                if (!tensor.name().equals("rope_freqs.weight")) { // a part of the config
                    add(
                            ranges,
                            model,
                            tensor.offset(),
                            tensor.offset() + tensor.bytes().orElseThrow());
                }
            }
            return ranges;
        }
        try (Stream<Path> files = Files.list(model)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".safetensors"))
                    .toList()) {
                SafetensorsFile.read(file)
                        .entries()
                        .values()
                        .forEach(entry -> add(ranges, file, entry.begin(), entry.end()));
            }
        }
        return ranges;
    }

    private static void add(Map<Path, List<Range>> ranges, Path file, long begin, long end) {
        ranges.computeIfAbsent(file, path -> new ArrayList<>()).add(new Range(begin, end));
    }

    private static long bytes(Map<Path, List<Range>> ranges) {
        return ranges.values().stream()
                .flatMap(List::stream)
                .mapToLong(Range::bytes)
                .sum();
    }

    /** None left out, none twice: tensors that touch become one range. */
    @ParameterizedTest
    @MethodSource("models")
    void theWholeProgramReadsEveryByteOfEveryTensorOnce(Path path) throws IOException {
        Map<Path, List<Range>> stored = tensors(path);
        try (Model model = Model.open(path)) {
            Plan whole = new ShardPlans(model).whole();
            assertThat(whole.residentBytes()).isEqualTo(bytes(stored));
            Map<Path, List<Range>> joined = new TreeMap<>();
            stored.forEach((file, ranges) -> joined.put(file, joined(ranges)));
            assertThat(whole.ranges(0).byFile()).isEqualTo(joined);
            assertThat(whole.bytesByFormat().values().stream()
                            .mapToLong(Long::longValue)
                            .sum())
                    .isEqualTo(bytes(stored));
        }
    }

    private static List<Range> joined(List<Range> ranges) {
        List<Range> joined = new ArrayList<>();
        for (Range range :
                ranges.stream().sorted(Comparator.comparingLong(Range::begin)).toList()) {
            Range last = joined.isEmpty() ? new Range(-1, -1) : joined.get(joined.size() - 1);
            if (range.begin() == last.end()) {
                joined.set(joined.size() - 1, new Range(last.begin(), range.end()));
            } else {
                joined.add(range);
            }
        }
        return joined;
    }

    /** Only the matrix of tied embeddings lies in two of them. */
    @ParameterizedTest
    @MethodSource("models")
    void singleLayersAddUpToTheWhole(Path path) {
        try (Model model = Model.open(path)) {
            ShardPlans plans = new ShardPlans(model);
            ModelSize size = plans.sizes();
            long sum = size.layers().stream().mapToLong(ShardSize::weightBytes).sum();
            Plan.Parts whole = plans.whole().parts();
            long twice = model.architecture().tiedEmbeddings() ? whole.embedding() : 0;
            assertThat(sum).isEqualTo(size.whole().weightBytes() + twice);
            assertThat(whole.embedding() + whole.layers() + whole.head()).isEqualTo(sum);
            assertThat(size.layers().stream().mapToLong(ShardSize::cacheBytes).sum())
                    .isEqualTo(size.whole().cacheBytes());
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void sizesAreThoseOfTheShardsOwnPrograms(Path path) {
        try (Model model = Model.open(path)) {
            ShardPlans plans = new ShardPlans(model);
            ModelSize size = plans.sizes();
            int layers = size.layers().size();
            for (int first = 0; first < layers; first += 2) {
                for (int end = first + 1; end <= layers; end += 2) {
                    assertThat(size.shard(first, end)).as(first + " to " + end).isEqualTo(plans.size(first, end));
                }
            }
        }
    }

    @Test
    void theTinyLlamaIsWhatItsTensorsAre() {
        try (Model model = Model.open(Golden.tiny("llama-tiny/hf"))) {
            // F16: q 128x64, k and v 64x64, o 64x128, three matrices of 128x64, two norms of 64
            long layer = 2L * (128 * 64 + 2 * 64 * 64 + 64 * 128 + 3 * 128 * 64 + 2 * 64);
            long embedding = 2L * 264 * 64; // and once more in the head
            long norm = 2 * 64;
            // k and v of 2 heads of 32 as float32, for the 2048 tokens of its context
            long cache = 4L * 2 * 2 * 32 * 2048;
            assertThat(new ShardPlans(model).sizes())
                    .isEqualTo(new ModelSize(
                            List.of(
                                    new ShardSize(embedding + layer, cache),
                                    new ShardSize(layer, cache),
                                    new ShardSize(layer + norm + embedding, cache)),
                            new ShardSize(embedding + 3 * layer + norm, 3 * cache)));
        }
    }

    /** Half of all matrices on each of two nodes, with all norms; the sums after attention and MLP of three layers, and the logits. */
    @Test
    void aSliceReadsItsShareAndExchanges() {
        SliceGroup halves = new SliceGroup(IntStream.range(0, 2)
                .mapToObj(rank -> Slice.of(LayerRange.whole(3)).sharing(Share.equal(rank, 2)))
                .toList());
        try (Model model = Model.open(Golden.tiny("llama-tiny/hf"))) {
            ShardPlans plans = new ShardPlans(model);
            long half = 128 * 64 + 2 * 64 * 64 + 64 * 128 + 3 * 128 * 64; // two bytes a value
            long row = 2 * 64;
            long bytes = row + 3 * (half + 2 * row) + row + 264 * 64;
            assertThat(plans.work(new Member(halves, 0))).isEqualTo(new ShardWork(bytes, 7));
            assertThat(plans.work(new Member(halves, 1))).isEqualTo(new ShardWork(bytes, 7));
            assertThat(plans.work(Member.alone(LayerRange.whole(3))))
                    .isEqualTo(new ShardWork(row + 3 * (2 * half + 2 * row) + row + 2 * 264 * 64, 0));
        }
    }
}
