package org.espalier.program;

import java.util.BitSet;
import java.util.List;
import org.espalier.weights.Weight;

/** What an op may check about itself; each failed check throws an error that names the op. */
public final class OpCheck {

    private final Program program;
    private final int index;
    private final Op op;
    private final ProgramCheck.State state;

    OpCheck(Program program, int index, ProgramCheck.State state) {
        this.program = program;
        this.index = index;
        this.op = program.ops().get(index);
        this.state = state;
    }

    /** @throws ProgramException with the op and {@code otherwise}, unless it holds */
    void that(boolean holds, String otherwise) {
        if (!holds) {
            String weights = op.weights().isEmpty() ? "" : " of " + op.weights().get(0);
            throw new ProgramException("program '" + program.name() + "', op " + index + ", "
                    + op.getClass().getSimpleName() + weights + ": " + otherwise);
        }
    }

    void width(String what, View view, int expected) {
        that(view.width() == expected, what + " has " + view.width() + " columns, expected " + expected);
    }

    /** Checks that the two share no column. */
    void apart(View in, View out) {
        that(!in.overlaps(out), "writes " + out + " while it reads " + in);
    }

    /** Checks that the two are the same columns or share none. */
    void sameOrApart(View in, View out) {
        that(in.equals(out) || !in.overlaps(out), "writes " + out + " while it reads " + in);
    }

    /** An op before this one has set every column. */
    void written(View view) {
        BitSet written = state.written.get(view.slot());
        int missing = written.nextClearBit(view.offset());
        that(
                missing >= view.offset() + view.width(),
                "reads column " + missing + " of slot " + view.slot() + ", which nothing has written");
    }

    /** [rows, columns] of one weight of {@code count} matrices. */
    void matrices(String name, int rows, int columns, int count) {
        Weight weight = weight(name);
        that(
                weight.rows() == rows && weight.columns() == columns && weight.count() == count,
                "weight " + name + " is " + shape(weight.count(), weight.rows(), weight.columns()) + ", expected "
                        + shape(count, rows, columns));
    }

    /** One row or one column of {@code width} values, {@code count} times. */
    void vector(String name, int width, int count) {
        Weight weight = weight(name);
        boolean line = weight.rows() == 1 || weight.columns() == 1;
        that(
                line && (long) weight.rows() * weight.columns() == width && weight.count() == count,
                "weight " + name + " is " + shape(weight.count(), weight.rows(), weight.columns())
                        + ", expected a vector " + shape(count, 1, width));
    }

    int rows(String name) {
        return weight(name).rows();
    }

    void columns(String name, int expected) {
        int found = weight(name).columns();
        that(found == expected, "weight " + name + " has " + found + " columns, expected " + expected);
    }

    void count(String name, int expected) {
        int found = weight(name).count();
        that(found == expected, "weight " + name + " has " + found + " matrices, expected " + expected);
    }

    /** Its rows can be read one by one. */
    void storedAsRows(String name) {
        that(!weight(name).transposed(), "weight " + name + " is stored transposed, expected row by row");
    }

    /** y[rows] = W x[columns] + b, {@code count} times. */
    void projection(Projection projection, int rows, int columns, int count) {
        matrices(projection.weight(), rows, columns, count);
        if (projection.bias() != null) {
            vector(projection.bias(), rows, count);
        }
    }

    /** Gate and up from {@code in} columns to a width of their own, down from there to {@code out}. */
    void unit(GatedUnit unit, int in, int out, int count) {
        int width = weight(unit.gate().weight()).rows();
        projection(unit.gate(), width, in, count);
        projection(unit.up(), width, in, count);
        projection(unit.down(), out, width, count);
    }

    /** Rows of {@code width} values, which no other op uses. */
    void cache(int cache, int width) {
        Cache used = use(cache);
        boolean rows = used instanceof Cache.Rows found && found.width() == width;
        that(rows, "uses cache " + cache + ", " + used + ", expected rows of " + width);
    }

    /** A state of {@code width} values, which no other op uses. */
    void state(int cache, int width) {
        Cache used = use(cache);
        that(
                used.equals(new Cache.State(width)),
                "uses cache " + cache + ", " + used + ", expected a state of " + width);
    }

    private Cache use(int cache) {
        that(
                cache >= 0 && cache < program.caches().size(),
                "uses cache " + cache + " of " + program.caches().size());
        that(state.caches.add(cache), "uses cache " + cache + ", which another op uses");
        return program.caches().get(cache);
    }

    /** The cache keeps every row. */
    void everyRow(int cache) {
        boolean every = program.caches().get(cache) instanceof Cache.Rows rows && rows.window() == 0;
        that(every, "uses cache " + cache + ", " + program.caches().get(cache) + ", expected one without a window");
    }

    /** The last {@link SelectRows} before this op is of {@code layer}. */
    void selection(int layer) {
        that(
                state.selection != null && state.selection.layer() == layer,
                "sees the rows that layer " + layer + " chose, the last selection before it "
                        + (state.selection == null ? "is missing" : "is of layer " + state.selection.layer()));
    }

    /** The router of the layer's {@link Route}, which is the last one before this op. */
    Router router(int layer) {
        Route route = state.route;
        that(
                route != null && route.layer() == layer,
                "takes the choice of layer " + layer + ", the last route before it "
                        + (route == null ? "is missing" : "is of layer " + route.layer()));
        return route.router();
    }

    private Weight weight(String name) {
        Weight weight = program.weights().get(name);
        that(weight != null, "there is no weight " + name);
        return weight;
    }

    private static String shape(int count, int rows, int columns) {
        return (count == 1 ? List.of(rows, columns) : List.of(count, rows, columns)).toString();
    }
}
