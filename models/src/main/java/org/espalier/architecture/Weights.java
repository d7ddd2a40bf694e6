package org.espalier.architecture;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointException;
import org.espalier.checkpoint.Tensor;
import org.espalier.program.Activation;
import org.espalier.program.GatedUnit;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Rope;
import org.espalier.weights.Piece;
import org.espalier.weights.Pieces;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightFormat;

/**
 * Finds a program's weights in a checkpoint by their published names. Each method checks the shape that the config asks for, makes the
 * weight known to the program, and returns the name that ops use; where a projection comes in two forms it takes the one that is there.
 *
 * <p>All throw {@link CheckpointException} where a tensor is missing or has another shape.
 */
public final class Weights {

    private final Checkpoint checkpoint;
    private final ProgramBuilder program;

    /** @param program gets every weight that is asked for */
    public Weights(Checkpoint checkpoint, ProgramBuilder program) {
        this.checkpoint = checkpoint;
        this.program = program;
    }

    /** [rows, columns]. */
    public String matrix(String name, int rows, int columns) {
        return program.weight(name, whole(tensor(name, List.of(rows, columns))));
    }

    /** [width], as a weight of one row. */
    public String vector(String name, int width) {
        return program.weight(name, whole(tensor(name, List.of(width))));
    }

    /**
     * One projection of several experts, a piece each.
     *
     * @param prefix of the experts, for instance {@code model.layers.3.mlp.experts}
     * @param ids in the order of the pieces
     * @param projection for instance {@code up_proj}
     * @param rows of one expert
     */
    public String experts(String prefix, List<Integer> ids, String projection, int rows, int columns) {
        String end = "." + projection + ".weight";
        List<Tensor> tensors = ids.stream()
                .map(id -> tensor(prefix + "." + id + end, List.of(rows, columns)))
                .toList();
        return program.weight(prefix + ".*" + end, pieces(tensors));
    }

    /**
     * MLA's way from the latent to the keys, absorbed into the query: count H, [rank, nope]. From {@code embed_q} [H, rank, nope], or the
     * first {@code nope} rows of each head in {@code kv_b_proj} [H * (nope + value), rank], transposed.
     *
     * @param attention for instance {@code model.layers.3.self_attn}
     */
    public String mlaKeyUp(String attention, MlaShape shape) {
        String name = attention + ".embed_q.weight";
        if (checkpoint.has(name)) {
            Tensor tensor = tensor(name, List.of(shape.heads(), shape.rank(), shape.nope()));
            return program.weight(name, pieces(elements(tensor)));
        }
        List<Tensor> perHead = kvUp(attention, shape, 0, shape.nope());
        WeightFormat format = WeightFormats.of(perHead.get(0).format());
        List<Piece> pieces = perHead.stream().map(WeightFormats::piece).toList();
        // The file has them as [nope, rank]: its rows are this weight's columns.
        return program.weight(
                name, new Weight(shape.rank(), shape.nope(), format, true, 0, 1, new Pieces.Apart(pieces)));
    }

    /**
     * MLA's way from the latent to the values: count H, [value, rank]. From {@code unembed_out} [H, value, rank], or the last {@code value}
     * rows of each head in {@code kv_b_proj}.
     */
    public String mlaValueUp(String attention, MlaShape shape) {
        String name = attention + ".unembed_out.weight";
        if (checkpoint.has(name)) {
            Tensor tensor = tensor(name, List.of(shape.heads(), shape.value(), shape.rank()));
            return program.weight(name, pieces(elements(tensor)));
        }
        return program.weight(name, pieces(kvUp(attention, shape, shape.nope(), shape.value())));
    }

    /** gpt-oss's experts, in the form that is there. */
    public GatedUnit mergedExperts(String prefix, MergedExperts experts, Activation activation) {
        return experts.find(checkpoint, program, prefix, activation);
    }

    /** How this file's q and k rows rotate, where the published checkpoint has {@code published}. */
    public Rope.Pairing ropePairing(Rope.Pairing published) {
        return Rope.Pairing.valueOf(checkpoint
                .ropePairing(Checkpoint.RopePairing.valueOf(published.name()))
                .name());
    }

    private List<Tensor> kvUp(String attention, MlaShape shape, int from, int rows) {
        int headRows = shape.nope() + shape.value();
        Tensor tensor = tensor(attention + ".kv_b_proj.weight", List.of(shape.heads() * headRows, shape.rank()));
        return IntStream.range(0, shape.heads())
                .mapToObj(head -> tensor.rows(head * headRows + from, rows))
                .toList();
    }

    private static List<Tensor> elements(Tensor stack) {
        return IntStream.range(0, stack.shape().get(0)).mapToObj(stack::element).toList();
    }

    private Tensor tensor(String name, List<Integer> expected) {
        return tensor(checkpoint, name, expected);
    }

    static WeightFormat format(Tensor tensor) {
        return WeightFormats.of(tensor.format());
    }

    /** @throws CheckpointException if it is missing or has another shape */
    static Tensor tensor(Checkpoint checkpoint, String name, List<Integer> expected) {
        Tensor tensor = checkpoint.tensor(name);
        if (!tensor.shape().equals(expected)) {
            throw new CheckpointException(
                    checkpoint.path() + ": tensor " + name + " has the shape " + tensor.shape() + ", expected "
                            + expected + " as the config says: the weights and the config are of different models");
        }
        return tensor;
    }

    private static Weight whole(Tensor tensor) {
        return Weight.matrix(
                tensor.rows(), tensor.columns(), WeightFormats.of(tensor.format()), WeightFormats.piece(tensor));
    }

    /** Tensors of one shape; an engine reads all pieces of a weight alike, so they must be stored alike. */
    private Weight pieces(List<Tensor> tensors) {
        Tensor first = tensors.get(0);
        List<Piece> pieces = new ArrayList<>();
        for (Tensor tensor : tensors) {
            if (!tensor.format().equals(first.format())) {
                throw new CheckpointException(checkpoint.path() + ": tensor " + tensor.name() + " is stored as "
                        + tensor.format() + " but " + first.name() + " as " + first.format()
                        + ", expected all experts of a layer alike");
            }
            pieces.add(WeightFormats.piece(tensor));
        }
        return Weight.matrices(first.rows(), first.columns(), WeightFormats.of(first.format()), pieces);
    }
}
