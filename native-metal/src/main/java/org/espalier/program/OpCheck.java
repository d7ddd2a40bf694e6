package org.espalier.program;

import java.util.BitSet;
import java.util.List;
import java.util.Locale;
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

    /**
     * A text is put together only for what does not hold: programs have thousands of ops, and a process starts with their check.
     *
     * @throws ProgramException with the op and {@code otherwise} of the values, as {@link String#format}, unless it holds
     */
    void that(boolean holds, String otherwise, Object... values) {
        if (!holds) {
            String weights = op.weights().isEmpty() ? "" : " of " + op.weights().get(0);
            throw new ProgramException("program '" + program.name() + "', op " + index + ", "
                    + op.getClass().getSimpleName() + weights + ": " + String.format(Locale.ROOT, otherwise, values));
        }
    }

    void width(String what, View view, int expected) {
        that(view.width() == expected, "%s has %s columns, expected %s", what, view.width(), expected);
    }

    /** Checks that the two share no column. */
    void apart(View in, View out) {
        that(!in.overlaps(out), "writes %s while it reads %s", out, in);
    }

    /** Checks that the two are the same columns or share none. */
    void sameOrApart(View in, View out) {
        that(in.equals(out) || !in.overlaps(out), "writes %s while it reads %s", out, in);
    }

    /** An op before this one has set every column. */
    void written(View view) {
        BitSet written = state.written.get(view.slot());
        int missing = written.nextClearBit(view.offset());
        that(
                missing >= view.offset() + view.width(),
                "reads column %s of slot %s, which nothing has written",
                missing,
                view.slot());
    }

    /** [rows, columns] of one weight of {@code count} matrices. */
    void matrices(String name, int rows, int columns, int count) {
        Weight weight = weight(name);
        that(
                weight.rows() == rows && weight.columns() == columns && weight.count() == count,
                "weight %s is %s, expected %s",
                name,
                new Shape(weight.count(), weight.rows(), weight.columns()),
                new Shape(count, rows, columns));
    }

    /** One row or one column of {@code width} values, {@code count} times. */
    void vector(String name, int width, int count) {
        Weight weight = weight(name);
        boolean line = weight.rows() == 1 || weight.columns() == 1;
        that(
                line && (long) weight.rows() * weight.columns() == width && weight.count() == count,
                "weight %s is %s, expected a vector %s",
                name,
                new Shape(weight.count(), weight.rows(), weight.columns()),
                new Shape(count, 1, width));
    }

    int rows(String name) {
        return weight(name).rows();
    }

    void columns(String name, int expected) {
        int found = weight(name).columns();
        that(found == expected, "weight %s has %s columns, expected %s", name, found, expected);
    }

    void count(String name, int expected) {
        int found = weight(name).count();
        that(found == expected, "weight %s has %s matrices, expected %s", name, found, expected);
    }

    /** Its rows can be read one by one. */
    void storedAsRows(String name) {
        that(!weight(name).transposed(), "weight %s is stored transposed, expected row by row", name);
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
        that(rows, "uses cache %s, %s, expected rows of %s", cache, used, width);
    }

    /** A state of {@code width} values, which no other op uses. */
    void state(int cache, int width) {
        Cache used = use(cache);
        that(used.equals(new Cache.State(width)), "uses cache %s, %s, expected a state of %s", cache, used, width);
    }

    private Cache use(int cache) {
        that(
                cache >= 0 && cache < program.caches().size(),
                "uses cache %s of %s",
                cache,
                program.caches().size());
        that(state.caches.add(cache), "uses cache %s, which another op uses", cache);
        return program.caches().get(cache);
    }

    /** The cache keeps every row. */
    void everyRow(int cache) {
        boolean every = program.caches().get(cache) instanceof Cache.Rows rows && rows.window() == 0;
        that(
                every,
                "uses cache %s, %s, expected one without a window",
                cache,
                program.caches().get(cache));
    }

    /** The last {@link SelectRows} before this op is of {@code layer}. */
    void selection(int layer) {
        that(
                state.selection != null && state.selection.layer() == layer,
                "sees the rows that layer %s chose, the last selection before it is %s",
                layer,
                state.selection == null ? "missing" : new Layer(state.selection.layer()));
    }

    /** The router of the layer's {@link Route}, which is the last one before this op. */
    Router router(int layer) {
        Route route = state.route;
        that(
                route != null && route.layer() == layer,
                "takes the choice of layer %s, the last route before it is %s",
                layer,
                route == null ? "missing" : new Layer(route.layer()));
        return route.router();
    }

    private Weight weight(String name) {
        Weight weight = program.weights().get(name);
        that(weight != null, "there is no weight %s", name);
        return weight;
    }

    /** As the texts of failures have it. */
    private record Shape(int count, int rows, int columns) {
        @Override
        public String toString() {
            return (count == 1 ? List.of(rows, columns) : List.of(count, rows, columns)).toString();
        }
    }

    private record Layer(int index) {
        @Override
        public String toString() {
            return "of layer " + index;
        }
    }
}
