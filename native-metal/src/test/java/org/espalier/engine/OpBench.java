package org.espalier.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import org.espalier.program.Add;
import org.espalier.program.Embed;
import org.espalier.program.Op;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;

/** Runs few ops as one program and one step of one session: rows in, rows out. */
final class OpBench {

    private final ProgramBuilder builder;
    private final View in;
    private final View out;
    private final View inColumns;
    private final View outColumns;
    private RouterEdits edits = RouterEdits.NONE;
    private Exchange exchange = Exchange.ALONE;
    private EngineOptions.Group group = EngineOptions.Group.ALONE;
    private boolean empty = true;

    /** Both widths are columns of wider slots, so that an op which ignores strides or offsets fails. */
    OpBench(int inWidth, int outWidth) {
        int hidden = Math.max(inWidth, outWidth);
        builder = new ProgramBuilder("main", hidden);
        in = builder.slot(hidden + 3).columns(2, hidden);
        out = builder.slot(hidden + 5).columns(1, hidden);
        inColumns = in.columns(0, inWidth);
        outColumns = out.columns(0, outWidth);
    }

    ProgramBuilder builder() {
        return builder;
    }

    OpBench edits(RouterEdits routerEdits) {
        edits = routerEdits;
        return this;
    }

    /** As the first node of a group of {@code nodes}. */
    OpBench exchange(int nodes, Exchange with) {
        exchange = with;
        group = new EngineOptions.Group(0, nodes);
        return this;
    }

    /** Adds the op that {@code op} makes of the views of input and output. */
    OpBench op(BiFunction<View, View, Op> make) {
        Op op = make.apply(inColumns, outColumns);
        if (empty && !(op instanceof Embed)) {
            builder.op(new Add(in, in, out)); // a program yields what it has written
        }
        empty = false;
        builder.op(op);
        return this;
    }

    StepResult result(Engine engine, float[][] rows) {
        Program program = builder.build(in, out);
        try (LoadedProgram loaded =
                LoadedProgram.load(engine, program, EngineOptions.FLOAT32.with(group), Loading.quietly())) {
            loaded.open(1, rows.length, edits);
            Step.Entry entry = Step.Entry.ofRows(1, 0, rows.length, Step.Logits.ALL);
            ByteBuffer activations = pack(rows, program.hidden());
            Set<Step.Want> wants = program.routes().isEmpty() ? Set.of() : Set.of(Step.Want.ROUTING);
            return loaded.run(new Step(List.of(entry), activations, wants), exchange, new Cancel());
        }
    }

    float[][] run(Engine engine, float[][] rows) {
        StepResult result = result(engine, rows);
        return unpack(result.activations(), rows.length, outColumns.width());
    }

    static ByteBuffer pack(float[][] rows, int hidden) {
        ByteBuffer bytes =
                ByteBuffer.allocate(rows.length * hidden * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int t = 0; t < rows.length; t++) {
            for (int i = 0; i < rows[t].length; i++) {
                bytes.putFloat((t * hidden + i) * Float.BYTES, rows[t][i]);
            }
        }
        return bytes;
    }

    static float[][] unpack(ByteBuffer bytes, int rows, int width) {
        int hidden = bytes.remaining() / Float.BYTES / rows;
        ByteBuffer little = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        float[][] values = new float[rows][width];
        for (int t = 0; t < rows; t++) {
            for (int i = 0; i < width; i++) {
                values[t][i] = little.getFloat((t * hidden + i) * Float.BYTES);
            }
        }
        return values;
    }
}
