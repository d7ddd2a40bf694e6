package org.espalier.architecture;

import java.util.List;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Tensor;
import org.espalier.checkpoint.TensorFormat;
import org.espalier.program.Activation;
import org.espalier.program.GatedUnit;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.weights.Piece;
import org.espalier.weights.Pieces;
import org.espalier.weights.Weight;

/**
 * gpt-oss's experts, whose projections are stacks of all experts of a layer. They come in three forms:
 *
 * <ul>
 *   <li>MLX and GGUF keep gate and up apart: {@code gate_proj.weight} [E, width, D], {@code gate_proj.bias} [E, width] and so on;
 *   <li>as published {@code gate_up_proj} [E, 2 width, D] has gate in its even and up in its odd rows, in blocks of 4-bit floats;
 *   <li>as transformers writes it in plain floats the same stack is turned round, [E, D, 2 width].
 * </ul>
 *
 * @param ids the experts wanted, in the order of the pieces
 * @param count E
 * @param width of one expert
 * @param hidden D
 */
public record MergedExperts(List<Integer> ids, int count, int width, int hidden) {

    public MergedExperts {
        ids = List.copyOf(ids);
    }

    /**
     * Makes the weights known to the program.
     *
     * @param prefix for instance {@code model.layers.3.mlp.experts}
     */
    GatedUnit find(Checkpoint checkpoint, ProgramBuilder program, String prefix, Activation activation) {
        Stacks stacks = new Stacks(checkpoint, program);
        if (checkpoint.has(prefix + ".gate_proj.weight")) {
            return new GatedUnit(
                    stacks.projection(prefix + ".gate_proj", width, hidden),
                    stacks.projection(prefix + ".up_proj", width, hidden),
                    stacks.projection(prefix + ".down_proj", hidden, width),
                    activation);
        }
        return new GatedUnit(
                stacks.everyOther(prefix, "gate", 0),
                stacks.everyOther(prefix, "up", 1),
                stacks.down(prefix),
                activation);
    }

    /** What all forms share. */
    private final class Stacks {
        private final Checkpoint checkpoint;
        private final ProgramBuilder program;

        Stacks(Checkpoint checkpoint, ProgramBuilder program) {
            this.checkpoint = checkpoint;
            this.program = program;
        }

        Projection projection(String module, int rows, int columns) {
            Tensor weight = Weights.tensor(checkpoint, module + ".weight", List.of(count, rows, columns));
            Tensor bias = Weights.tensor(checkpoint, module + ".bias", List.of(count, rows));
            return known(
                    module,
                    new Weight(rows, columns, Weights.format(weight), false, 0, 1, elements(weight)),
                    bias,
                    0,
                    1);
        }

        /** @param first row of this projection among the interleaved ones */
        Projection everyOther(String prefix, String name, int first) {
            Tensor weight = merged(prefix + ".gate_up_proj", 2 * width, hidden);
            Tensor bias = Weights.tensor(checkpoint, prefix + ".gate_up_proj_bias", List.of(count, 2 * width));
            Weight rows = new Weight(width, hidden, Weights.format(weight), turned(weight), first, 2, elements(weight));
            return known(prefix + "." + name, rows, bias, first, 2);
        }

        Projection down(String prefix) {
            Tensor weight = merged(prefix + ".down_proj", hidden, width);
            Tensor bias = Weights.tensor(checkpoint, prefix + ".down_proj_bias", List.of(count, hidden));
            Weight rows = new Weight(hidden, width, Weights.format(weight), turned(weight), 0, 1, elements(weight));
            return known(prefix + ".down", rows, bias, 0, 1);
        }

        private Tensor merged(String name, int rows, int columns) {
            boolean turned = turned(checkpoint.tensor(name));
            List<Integer> shape = turned ? List.of(count, columns, rows) : List.of(count, rows, columns);
            return Weights.tensor(checkpoint, name, shape);
        }

        private boolean turned(Tensor tensor) {
            return tensor.format() instanceof TensorFormat.Plain;
        }

        private Pieces elements(Tensor stack) {
            return new Pieces.Apart(ids.stream()
                    .map(id -> WeightFormats.piece(stack.element(id)))
                    .toList());
        }

        /** The bias of one expert is a row of which every {@code step}-th value counts: a column stored turned round. */
        private Projection known(String name, Weight weight, Tensor bias, int first, int step) {
            List<Piece> vectors = ids.stream()
                    .map(id -> WeightFormats.piece(bias.rows(id, 1)))
                    .toList();
            Weight column =
                    new Weight(weight.rows(), 1, Weights.format(bias), true, first, step, new Pieces.Apart(vectors));
            return new Projection(program.weight(name + ".weight", weight), program.weight(name + ".bias", column));
        }
    }
}
