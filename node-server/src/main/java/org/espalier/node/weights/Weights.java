package org.espalier.node.weights;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointException;
import org.espalier.checkpoint.Tensor;
import org.espalier.engine.program.Rope.Pairing;
import org.espalier.engine.program.Weight;
import org.espalier.engine.program.Weight.Piece;

/**
 * A checkpoint's tensors as weights. Every shape is checked against what the architecture expects; where a projection exists in two
 * forms, the one that the file has is chosen here.
 */
public final class Weights {

    private final Checkpoint checkpoint;

    public Weights(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /** Whether the checkpoint has a tensor of that name. */
    public boolean has(String name) {
        return checkpoint.has(name);
    }

    /** Which two dimensions turn together, where the published checkpoint has {@code published}. */
    public Pairing pairing(Pairing published) {
        return switch (checkpoint.ropePairing(Checkpoint.RopePairing.valueOf(published.name()))) {
            case HALF -> Pairing.HALF;
            case INTERLEAVED -> Pairing.INTERLEAVED;
        };
    }

    /** [1, columns]. */
    public Weight vector(String name, int columns) {
        return matrix(name, 1, columns);
    }

    /** [rows, columns]. */
    public Weight matrix(String name, int rows, int columns) {
        Tensor tensor = shaped(name, rows == 1 ? List.of(columns) : List.of(rows, columns));
        return Weight.matrix(rows, columns, Formats.of(tensor.format()), piece(tensor));
    }

    /**
     * The experts {@code ids} of one projection, each [rows, columns].
     *
     * @param prefix of the experts' names, for instance {@code model.layers.3.mlp.experts}
     * @param projection {@code gate_proj}, {@code up_proj} or {@code down_proj}
     */
    public Weight experts(String prefix, List<Integer> ids, String projection, int rows, int columns) {
        List<Tensor> tensors = ids.stream()
                .map(id -> shaped(prefix + "." + id + "." + projection + ".weight", List.of(rows, columns)))
                .toList();
        Tensor first = tensors.get(0);
        for (Tensor tensor : tensors) {
            if (!tensor.format().equals(first.format())) {
                throw new CheckpointException(
                        "the experts of " + prefix + "." + projection + " have different formats: " + first.name()
                                + " is " + first.format() + ", " + tensor.name() + " is " + tensor.format());
            }
        }
        return Weight.matrices(
                rows,
                columns,
                Formats.of(first.format()),
                tensors.stream().map(Weights::piece).toList());
    }

    /**
     * Of each head the matrix that turns a query without position into one against the latent: count H, [rank, nope]. MLX keeps it as
     * {@code embed_q}; published checkpoints as the upper rows of each head in {@code kv_b_proj}, turned round.
     *
     * @param attention prefix, for instance {@code model.layers.0.self_attn}
     */
    public Weight latentKeys(String attention, LatentShape shape) {
        if (has(attention + ".embed_q.weight")) {
            return stack(attention + ".embed_q.weight", shape.heads(), shape.rank(), shape.nope());
        }
        Tensor joint = joint(attention, shape);
        return new Weight(
                shape.rank(),
                shape.nope(),
                Formats.of(joint.format()),
                true,
                0,
                1,
                headRows(joint, shape, 0, shape.nope()));
    }

    /** Of each head the matrix that turns a mixed latent into values: count H, [value, rank]. */
    public Weight latentValues(String attention, LatentShape shape) {
        if (has(attention + ".unembed_out.weight")) {
            return stack(attention + ".unembed_out.weight", shape.heads(), shape.value(), shape.rank());
        }
        Tensor joint = joint(attention, shape);
        return Weight.matrices(
                shape.value(),
                shape.rank(),
                Formats.of(joint.format()),
                headRows(joint, shape, shape.nope(), shape.value()));
    }

    /** Sizes of multi-head latent attention: H, kv rank, and a head's widths without position and of values. */
    public record LatentShape(int heads, int rank, int nope, int value) {}

    private Tensor joint(String attention, LatentShape shape) {
        int rows = shape.heads() * (shape.nope() + shape.value());
        return shaped(attention + ".kv_b_proj.weight", List.of(rows, shape.rank()));
    }

    private static List<Piece> headRows(Tensor joint, LatentShape shape, int from, int rows) {
        int each = shape.nope() + shape.value();
        return IntStream.range(0, shape.heads())
                .mapToObj(head -> piece(joint.rows(head * each + from, rows)))
                .toList();
    }

    private Weight stack(String name, int count, int rows, int columns) {
        Tensor tensor = shaped(name, List.of(count, rows, columns));
        List<Piece> pieces = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            pieces.add(piece(tensor.element(i)));
        }
        return Weight.matrices(rows, columns, Formats.of(tensor.format()), pieces);
    }

    private Tensor shaped(String name, List<Integer> expected) {
        Tensor tensor = checkpoint.tensor(name);
        if (!tensor.shape().equals(expected)) {
            throw new CheckpointException("tensor " + name + " has shape " + tensor.shape() + ", the config asks for "
                    + expected + ": config and weights in " + checkpoint.path() + " do not belong together");
        }
        return tensor;
    }

    private static Piece piece(Tensor tensor) {
        return new Piece(
                Formats.region(tensor.values()), Formats.region(tensor.scales()), Formats.region(tensor.biases()));
    }
}
