package org.espalier.engine;

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
        return group(new EngineOptions.Group(0, nodes), with);
    }

    OpBench group(EngineOptions.Group nodes, Exchange with) {
        exchange = with;
        group = nodes;
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

    /** @param rows of the output */
    record Result(StepResult step, float[][] rows) {}

    Result result(EngineUnderTest tested, float[][] rows) {
        Program program = builder.build(in, out);
        try (LoadedProgram loaded = tested.load(program, tested.options().with(group))) {
            Wire wire = new Wire(loaded.activationBytes());
            loaded.open(1, rows.length, edits);
            Step.Entry entry = Step.Entry.ofRows(1, 0, rows.length, Step.Logits.ALL);
            Set<Step.Want> wants = program.routes().isEmpty() ? Set.of() : Set.of(Step.Want.ROUTING);
            Step step = new Step(List.of(entry), wire.pack(rows, program.hidden()), wants);
            StepResult result = loaded.run(step, exchange, new Cancel());
            float[][] values = result.activations() == null
                    ? null
                    : wire.unpack(result.activations(), rows.length, outColumns.width());
            return new Result(result, values);
        }
    }

    float[][] run(EngineUnderTest tested, float[][] rows) {
        return result(tested, rows).rows();
    }
}
