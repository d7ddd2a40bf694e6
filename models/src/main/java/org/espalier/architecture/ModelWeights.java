package org.espalier.architecture;

import java.util.List;
import java.util.stream.IntStream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointException;
import org.espalier.config.LatentAttentionConfig;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Rope;
import org.espalier.slice.Share.Cut;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;

/**
 * Finds a program's weights in a checkpoint by their published names. Each method checks the shape that the config asks for, adds the
 * weight to the program, and returns the name that ops use; where a projection has two forms, it takes the one that is there.
 *
 * <p>All throw {@link CheckpointException} if a tensor is missing or has another shape.
 */
public final class ModelWeights {

    private final Checkpoint checkpoint;
    private final ProgramBuilder program;

    /** @param program receives every weight that is asked for */
    public ModelWeights(Checkpoint checkpoint, ProgramBuilder program) {
        this.checkpoint = checkpoint;
        this.program = program;
    }

    /** Whether the checkpoint has a weight of this published name. */
    public boolean has(String name) {
        return checkpoint.has(name);
    }

    /** A matrix [rows, columns]. */
    public String matrix(String name, int rows, int columns) {
        return program.weight(name, matrices(checkpoint, name, 1, rows, columns));
    }

    /** The rows {@code cut} of a matrix [rows, columns], which the program knows by {@code as}. */
    public String rows(String name, String as, Cut cut, int rows, int columns) {
        Weight whole = matrices(checkpoint, name, 1, rows, columns);
        return cut.count() == rows
                ? program.weight(name, whole)
                : program.weight(as, whole.rows(cut.first(), cut.count()));
    }

    /**
     * One of several matrices whose rows are stored together, head by head: {@code block} rows of every {@code step} of {@code rows}, from {@code
     * first} on.
     */
    public record RowBlocks(int first, int block, int step, int rows) {}

    /** The rows {@code cut} of such a matrix, which the program knows by {@code as}; a cut falls between blocks. */
    public String rows(String name, String as, RowBlocks blocks, Cut cut, int columns) {
        Weight all = matrices(checkpoint, name, 1, blocks.rows, columns);
        Weight one = all.rowBlocks(blocks.first, blocks.block, blocks.step);
        return program.weight(as, one.rows(cut.first(), cut.count()));
    }

    /**
     * The filters {@code cut} of a short convolution, [channels, kernel] in a GGUF file, [channels, 1, kernel] as published and [channels,
     * kernel, 1] in MLX.
     */
    public String filters(String name, String as, Cut cut, int channels, int kernel) {
        return program.weight(as, filters(checkpoint, name, channels, kernel).rows(cut.first(), cut.count()));
    }

    /** Whether filters are stored as published, [channels, 1, kernel]; mlx-lm transposes them, and adds one to zero-centred norms then. */
    public static boolean publishedFilters(Weight filters) {
        return filters.count() > 1 && filters.rows() == 1;
    }

    private static Weight filters(Checkpoint checkpoint, String name, int channels, int kernel) {
        Weight weight = checkpoint.weight(name);
        boolean stack = weight.count() == channels && (long) weight.rows() * weight.columns() == kernel;
        if (!stack || !(weight.format() instanceof Plain)) {
            return matrices(checkpoint, name, 1, channels, kernel);
        }
        Region values = weight.pieces().get(0).values();
        Region rows = new Region(values.file(), values.offset(), weight.format().rowBytes(kernel));
        return Weight.matrix(channels, kernel, weight.format(), Piece.of(rows));
    }

    /** The columns {@code cut} of a matrix [rows, columns]. */
    public String columns(String name, Cut cut, int rows, int columns) {
        return program.weight(name, matrices(checkpoint, name, 1, rows, columns).columns(cut.first(), cut.count()));
    }

    /** The values {@code cut} of a vector [width]. */
    public String values(String name, Cut cut, int width) {
        return program.weight(name, vectors(name, 1, width).values(cut.first(), cut.count()));
    }

    /** What slices by columns of a matrix must be cut at, see {@link Weight#columnUnit}. */
    public int columnUnit(String name) {
        return checkpoint.weight(name).columnUnit();
    }

    /** A vector [width], as a weight of one row. */
    public String vector(String name, int width) {
        return program.weight(name, vectors(name, 1, width));
    }

    /**
     * Some of a layer's experts.
     *
     * @param ids in the order of the program's matrices
     * @param count E, how many there are
     */
    public record Held(List<Integer> ids, int count) {
        public Held {
            ids = List.copyOf(ids);
            if (!ids.stream().allMatch(id -> id >= 0 && id < count)) {
                throw new IllegalArgumentException("experts " + ids + " of " + count + " cannot be held");
            }
        }
    }

    /**
     * The rows {@code cut} of one projection of each expert that is held.
     *
     * @param name of all of them, for instance {@code model.layers.3.mlp.experts.*.up_proj.weight}
     * @param rows of one expert
     */
    public String expertRows(String name, Held held, Cut cut, int rows, int columns) {
        Weight all = matrices(checkpoint, name, held.count(), rows, columns);
        return program.weight(name, all.pick(held.ids()).rows(cut.first(), cut.count()));
    }

    /** The columns {@code cut} of one projection of each. */
    public String expertColumns(String name, Held held, Cut cut, int rows, int columns) {
        Weight all = matrices(checkpoint, name, held.count(), rows, columns);
        return program.weight(name, all.pick(held.ids()).columns(cut.first(), cut.count()));
    }

    /** The values {@code cut} of the biases of one projection of the held experts, [width] each. */
    public String expertVectors(String name, Held held, Cut cut, int width) {
        Weight all = vectors(name, held.count(), width);
        return program.weight(name, all.pick(held.ids()).values(cut.first(), cut.count()));
    }

    /**
     * MLA's projection from the latent to the keys, absorbed into the query, of the heads {@code cut}: count of these, [rank, nope].
     *
     * @param attention for instance {@code model.layers.3.self_attn}
     */
    public String mlaKeyUp(String attention, LatentAttentionConfig config, Cut cut) {
        return program.weight(attention + ".embed_q.weight", pick(keyUp(checkpoint, attention, config), cut));
    }

    /** MLA's projection from the latent to the values, of the heads {@code cut}: count of these, [value, rank]. */
    public String mlaValueUp(String attention, LatentAttentionConfig config, Cut cut) {
        return program.weight(attention + ".unembed_out.weight", pick(valueUp(checkpoint, attention, config), cut));
    }

    private static Weight pick(Weight heads, Cut cut) {
        return heads.pick(IntStream.range(cut.first(), cut.end()).boxed().toList());
    }

    /** From {@code embed_q} [H, rank, nope], or the first {@code nope} rows of each head in {@code kv_b_proj}, transposed. */
    public static Weight keyUp(Checkpoint checkpoint, String attention, LatentAttentionConfig config) {
        String name = attention + ".embed_q.weight";
        if (checkpoint.has(name)) {
            return matrices(checkpoint, name, config.heads(), config.kvRank(), config.nope());
        }
        Weight heads = kvUp(checkpoint, attention, config);
        return new Weight(config.kvRank(), config.nope(), heads.format(), true, 0, 1, heads.pieces());
    }

    /** From {@code unembed_out} [H, value, rank], or the last {@code value} rows of each head in {@code kv_b_proj}. */
    public static Weight valueUp(Checkpoint checkpoint, String attention, LatentAttentionConfig config) {
        String name = attention + ".unembed_out.weight";
        return checkpoint.has(name)
                ? matrices(checkpoint, name, config.heads(), config.value(), config.kvRank())
                : kvUp(checkpoint, attention, config).rows(config.nope(), config.value());
    }

    /** {@code kv_b_proj} [H * (nope + value), rank] as a stack of heads. */
    private static Weight kvUp(Checkpoint checkpoint, String attention, LatentAttentionConfig config) {
        int rows = config.nope() + config.value();
        Weight whole = matrices(checkpoint, attention + ".kv_b_proj.weight", 1, config.heads() * rows, config.kvRank());
        return Weight.stack(
                rows, whole.columns(), whole.format(), whole.pieces().get(0), config.heads());
    }

    /** How q and k rows are paired for rotation in this file, where the published checkpoint has {@code published}. */
    public Rope.Pairing ropePairing(Rope.Pairing published) {
        return checkpoint.ropePairing(published);
    }

    private static Weight matrices(Checkpoint checkpoint, String name, int count, int rows, int columns) {
        Weight weight = checkpoint.weight(name);
        boolean alike = weight.count() == count && weight.rows() == rows && weight.columns() == columns;
        return alike ? weight : otherShape(checkpoint, name, shape(weight), shape(count, rows, columns));
    }

    /** {@code count} vectors, each of one row or one column. */
    private Weight vectors(String name, int count, int width) {
        Weight weight = checkpoint.weight(name);
        boolean line = weight.rows() == 1 || weight.columns() == 1;
        boolean alike = line && weight.count() == count && (long) weight.rows() * weight.columns() == width;
        return alike ? weight : otherShape(checkpoint, name, shape(weight), vectorShape(count, width));
    }

    private static Weight otherShape(Checkpoint checkpoint, String name, List<Integer> found, List<Integer> expected) {
        throw new CheckpointException(checkpoint.path() + ": tensor " + name + " has the shape " + found + ", expected "
                + expected + " as the config says: the weights and the config are of different models");
    }

    private static List<Integer> shape(Weight weight) {
        return weight.rows() == 1 || weight.columns() == 1
                ? vectorShape(weight.count(), weight.rows() * weight.columns())
                : shape(weight.count(), weight.rows(), weight.columns());
    }

    private static List<Integer> shape(int count, int rows, int columns) {
        return count == 1 ? List.of(rows, columns) : List.of(count, rows, columns);
    }

    private static List<Integer> vectorShape(int count, int width) {
        return count == 1 ? List.of(width) : List.of(count, width);
    }
}
