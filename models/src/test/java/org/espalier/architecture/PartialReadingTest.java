package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.Model;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Share.Cut;
import org.espalier.weights.FileRanges;
import org.espalier.weights.Piece;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A shard reads its own share of the files and nothing else. */
class PartialReadingTest {

    private static final double TOLERANCE = 0.02;

    @TempDir
    Path directory;

    private static GoldenModel golden(String name) {
        return GoldenModel.tiny(name);
    }

    /** Every byte that a program may read, by file. */
    private static Map<Path, BitSet> read(Program program) {
        Map<Path, BitSet> bytes = new HashMap<>();
        for (Weight weight : program.weights().values()) {
            for (int index = 0; index < weight.count(); index++) {
                Piece piece = weight.pieces().get(index);
                add(bytes, weight, piece.values(), weight.format().rowBytes(weight.storedColumns()));
                add(bytes, weight, piece.scales(), weight.format().scaleRowBytes(weight.storedColumns()));
                add(bytes, weight, piece.biases(), weight.format().biasRowBytes(weight.storedColumns()));
            }
        }
        return bytes;
    }

    private static void add(Map<Path, BitSet> bytes, Weight weight, Region region, long rowBytes) {
        if (region == null) {
            return;
        }
        for (int row = 0; row < weight.storedRows(); row++) {
            int place = weight.transposed() ? row : weight.firstRow() + row * weight.rowStep();
            int from = Math.toIntExact(region.offset() + region.index(place) * region.rowBytes());
            bytes.computeIfAbsent(region.file(), file -> new BitSet()).set(from, from + (int) rowBytes);
        }
    }

    private static long count(Map<Path, BitSet> bytes) {
        return bytes.values().stream().mapToLong(BitSet::cardinality).sum();
    }

    @ParameterizedTest
    @ValueSource(strings = {"deepseek_v3-tiny/hf", "deepseek_v3-tiny/mlx4", "llama-tiny/hf", "llama_gguf-tiny/gguf"})
    void aShardReadsItsShareOfTheBytes(String name) {
        try (Model model = golden(name).open()) {
            int layers = model.architecture().layers();
            Architecture architecture = model.architecture();
            for (int layer = 0; layer < layers; layer++) {
                Program program = architecture.program(model.checkpoint(), new LayerRange(layer, layer + 1, layers));
                assertThat(count(read(program)))
                        .as("layer " + layer + " of " + layers)
                        .isEqualTo(program.plan().residentBytes());
            }
        }
    }

    @Test
    void wholeExpertsAreReadByThemselves() {
        try (Model model = golden("deepseek_v3-tiny/mlx4").open()) {
            String experts = "model.layers.1.mlp.experts.*.up_proj.weight";
            long all = count(expertBytes(
                    model.checkpoint(), experts, IntStream.range(0, 16).boxed().toList()));
            long quarter = count(expertBytes(model.checkpoint(), experts, List.of(3, 9, 10, 15)));
            assertThat((double) quarter).isCloseTo(all / 4.0, within(TOLERANCE * all / 4));
        }
    }

    private static Map<Path, BitSet> expertBytes(Checkpoint checkpoint, String experts, List<Integer> ids) {
        ProgramBuilder builder = new ProgramBuilder("experts", 1);
        new ModelWeights(checkpoint, builder)
                .expertRows(experts, new ModelWeights.Held(ids, 16), new Cut(0, 64), 64, 64);
        return read(builder.build(null, null));
    }

    /** All other bytes are destroyed in a copy of the files, and the shard does not notice. */
    @ParameterizedTest
    @ValueSource(strings = {"deepseek_v3-tiny/hf", "deepseek_v3-tiny/mlx4", "llama_gguf-tiny/gguf"})
    void whatBelongsToOthersIsNotTouched(String name) throws IOException {
        Path source = golden(name).path();
        Path copy = copy(source);
        try (Model model = Model.open(copy)) {
            int layers = model.architecture().layers();
            LayerRange range = new LayerRange(1, 2, layers);
            Program program = model.architecture().program(model.checkpoint(), range);
            Map<Path, BitSet> own = read(program);
            for (Map.Entry<Path, Long> file : dataStarts(model.checkpoint()).entrySet()) {
                destroy(file.getKey(), file.getValue(), own.getOrDefault(file.getKey(), new BitSet()));
            }
        }
        assertThat(LayerOutput.between(copy, 1, 2)).isEqualTo(LayerOutput.between(source, 1, 2));
    }

    private Path copy(Path source) throws IOException {
        if (Files.isRegularFile(source)) {
            return Files.copy(source, directory.resolve(source.getFileName()));
        }
        try (Stream<Path> files = Files.list(source)) {
            for (Path file : files.toList()) {
                Files.copy(file, directory.resolve(file.getFileName()));
            }
        }
        return directory;
    }

    /** Where in each file the tensors begin. */
    private static Map<Path, Long> dataStarts(Checkpoint checkpoint) {
        Map<Path, Long> starts = new HashMap<>();
        for (String name : checkpoint.names()) {
            FileRanges.of(List.of(checkpoint.weight(name)), 0)
                    .byFile()
                    .forEach((file, ranges) -> starts.merge(file, ranges.get(0).begin(), Math::min));
        }
        return starts;
    }

    private static void destroy(Path file, long from, BitSet spared) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        for (int at = Math.toIntExact(from); at < bytes.length; at++) {
            if (!spared.get(at)) {
                bytes[at] = (byte) 0xff; // not a number, in every format
            }
        }
        Files.write(file, bytes);
    }
}
