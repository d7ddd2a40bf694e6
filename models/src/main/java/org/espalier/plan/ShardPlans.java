package org.espalier.plan;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.espalier.checkpoint.Checkpoint.StoredTensor;
import org.espalier.config.RoutedExperts;
import org.espalier.model.Model;
import org.espalier.program.Plan;
import org.espalier.program.Program;
import org.espalier.program.StepShape;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;
import org.espalier.weights.FileRanges;

/** The plans of a model's shards. They need headers only: the weights may be on another machine. */
public record ShardPlans(Model model) {

    /** Tokens of the conversation that memory is planned for; fewer if the model's context is shorter. */
    public static final int PLANNED_TOKENS = 4096;

    /**
     * The plan of the shard with the layers {@code first} to {@code end} exclusive.
     *
     * @throws org.espalier.EspalierException if the model has no such layers, or its headers do not fit its config
     */
    public Plan of(int first, int end) {
        return program(first, end).plan();
    }

    /**
     * The plan of one node's slice.
     *
     * @throws org.espalier.EspalierException as {@link #of(int, int)}
     */
    public Plan of(Member member) {
        return program(member).plan();
    }

    /** The plan of all layers. */
    public Plan whole() {
        return of(0, model.architecture().layers());
    }

    /** Tensors that no shard reads: of multi-token prediction, of other parts than text. */
    List<StoredTensor> notLoaded() {
        FileRanges read = whole().ranges(0);
        return model.checkpoint().tensors().stream()
                .filter(tensor -> tensor.bytes() == 0 || !read.contain(range(tensor, tensor.begin() + 1)))
                .toList();
    }

    private static FileRanges range(StoredTensor tensor, long end) {
        return new FileRanges(Map.of(tensor.file(), List.of(new FileRanges.Range(tensor.begin(), end))));
    }

    /**
     * The bytes of each file to fetch for the layers {@code first} to {@code end} exclusive: what they read and gaps of less than {@code gap} bytes
     * between, but for tensors that no shard reads.
     */
    public FileRanges toFetch(int first, int end, long gap) {
        Map<Path, List<FileRanges.Range>> others = new TreeMap<>();
        notLoaded().stream()
                .sorted(Comparator.comparingLong(StoredTensor::begin))
                .forEach(tensor -> others.computeIfAbsent(tensor.file(), file -> new ArrayList<>())
                        .add(new FileRanges.Range(tensor.begin(), tensor.begin() + tensor.bytes())));
        return of(first, end).ranges(gap).without(new FileRanges(others));
    }

    /** Memory that such a shard needs. */
    public ShardSize size(int first, int end) {
        return size(of(first, end));
    }

    /** Memory that a slice needs. */
    public ShardSize size(Member member) {
        return size(of(member));
    }

    /** What a slice does for one token of one conversation. */
    public ShardWork work(Member member) {
        Plan plan = of(member);
        int perToken = model.architecture().moe().map(RoutedExperts::perToken).orElse(0);
        return new ShardWork(plan.cost(new StepShape(1, perToken, 1)).weightBytes(), plan.exchanges());
    }

    private ShardSize size(Plan plan) {
        int tokens = Math.min(PLANNED_TOKENS, model.architecture().context());
        return new ShardSize(plan.residentBytes(), plan.cacheValues(tokens) * Float.BYTES); // the wider precision
    }

    /** Memory that all shards need, from one program for each layer. */
    public ModelSize sizes() {
        int layers = model.architecture().layers();
        List<ShardSize> single = IntStream.range(0, layers)
                .mapToObj(layer -> size(layer, layer + 1))
                .toList();
        return new ModelSize(single, size(0, layers), model.architecture().joinedLayers());
    }

    Program program(int first, int end) {
        return program(
                Member.alone(new LayerRange(first, end, model.architecture().layers())));
    }

    private Program program(Member member) {
        return model.architecture().program(model.checkpoint(), member);
    }
}
