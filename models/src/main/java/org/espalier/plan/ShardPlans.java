package org.espalier.plan;

import java.util.List;
import java.util.stream.IntStream;
import org.espalier.model.Model;
import org.espalier.program.Plan;
import org.espalier.program.Program;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;

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

    /** Memory that such a shard needs. */
    public ShardSize size(int first, int end) {
        return size(of(first, end));
    }

    /** Memory that a slice needs. */
    public ShardSize size(Member member) {
        return size(of(member));
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
