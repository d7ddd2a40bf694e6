package org.espalier.program;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.espalier.EspalierException;
import org.espalier.weights.WeightCheck;
import org.espalier.weights.WeightException;

/** Proves the meaning of a program, so that engines may trust it: what is a Java exception in the reference engine would be a memory error in C. */
final class ProgramCheck {

    private final Program program;
    private final Group group;
    private final State state = new State();
    private final Map<Integer, ExchangeBegin> begun = new HashMap<>();
    private final Set<Integer> exchanges = new HashSet<>();

    /** What the ops so far have done. */
    static final class State {
        /** By slot, the columns that have a value. */
        final List<BitSet> written = new ArrayList<>();

        final Set<Integer> caches = new HashSet<>();
        Route route;
        SelectRows selection;
        /** Whether the logits were begun. */
        boolean yielding;
        /** Whether the logits were gathered. */
        boolean gathered;
    }

    /** The nodes that share the program's layers. */
    record Group(int rank, int nodes) {
        static final Group UNKNOWN = new Group(0, 0);
    }

    ProgramCheck(Program program, Group group) {
        this.program = program;
        this.group = group;
    }

    void run() {
        slots();
        for (int index = 0; index < program.ops().size(); index++) {
            op(index, program.ops().get(index));
        }
        end();
        weights();
    }

    private void slots() {
        for (int width : program.slots()) {
            require(width > 0, "has a slot %s wide", width);
            state.written.add(new BitSet(width));
        }
        for (View edge : List.of(program.input(), program.output())) {
            require(inside(edge), "takes or yields %s, which lies in no slot", edge);
            require(
                    edge.width() == program.hidden(),
                    "takes or yields %s columns, expected %s",
                    edge.width(),
                    program.hidden());
        }
        View logits = program.logits();
        if (logits != null) {
            require(
                    inside(logits) && logits.width() == program.slots().get(logits.slot()),
                    "yields %s as logits, which is not a slot",
                    logits);
            for (View edge : List.of(program.input(), program.output())) {
                require(!edge.overlaps(logits), "takes or yields %s, where the logits are", edge);
            }
        }
        if (!program.embedsTokens()) {
            write(program.input());
        }
    }

    private void op(int index, Op op) {
        OpCheck check = new OpCheck(program, index, state);
        boolean first = index == 0;
        check.that(first || !(op instanceof Embed), "embeds after other ops");
        for (View view : op.reads()) {
            check.that(inside(view), "reads %s, which lies in no slot", view);
            check.written(view);
        }
        for (View view : op.writes()) {
            check.that(inside(view), "writes %s, which lies in no slot", view);
        }
        if (op instanceof ExchangeBegin begin) {
            check.that(inside(begin.view()), "exchanges %s, which lies in no slot", begin.view());
        }
        for (ExchangeBegin exchange : begun.values()) {
            for (View view : touched(op)) {
                check.that(!view.overlaps(exchange.view()), "touches %s while exchange %s has it", view, exchange.id());
            }
        }
        logits(check, op);
        op.check(check);
        if (op instanceof Route route) {
            boolean ascends = state.route == null || state.route.layer() < route.layer();
            check.that(ascends, "routes layer %s after layer %s", route.layer(), ascends ? 0 : state.route.layer());
            state.route = route;
        } else if (op instanceof SelectRows select) {
            SelectRows before = state.selection;
            check.that(
                    before == null || before.layer() < select.layer(),
                    "selects rows of layer %s after layer %s",
                    select.layer(),
                    before == null ? 0 : before.layer());
            state.selection = select;
        } else if (op instanceof ExchangeBegin begin) {
            check.that(exchanges.add(begin.id()), "begins exchange %s again", begin.id());
            if (begin.kind() instanceof ExchangeBegin.Gather gather && !group.equals(Group.UNKNOWN)) {
                gather(check, begin.view(), gather.widths());
            }
            begun.put(begin.id(), begin);
        } else if (op instanceof ExchangeAwait await) {
            ExchangeBegin begin = begun.remove(await.id());
            check.that(begin != null, "awaits exchange %s, which has not begun", await.id());
            write(begin.view());
        }
        op.writes().forEach(this::write);
    }

    /** The logits' slot has R rows, not T: only the output matrix and exchanges of it touch it, and nothing else follows. */
    private void logits(OpCheck check, Op op) {
        boolean touches = program.logits() != null
                && touched(op).stream()
                        .anyMatch(view -> view.slot() == program.logits().slot());
        boolean may = op instanceof Logits || op instanceof ExchangeBegin;
        check.that(may || !touches, "touches the logits");
        check.that(!(op instanceof Logits) || touches, "yields logits into another slot");
        check.that(!state.yielding || touches || op instanceof ExchangeAwait, "comes after the logits");
        check.that(!state.yielding || !(op instanceof Logits), "yields logits again");
        if (touches && !state.yielding) {
            check.that(begun.isEmpty(), "yields logits before the end of exchange %s", begun.keySet());
        }
        if (touches && op instanceof ExchangeBegin begin) {
            boolean whole = begin.view().equals(program.logits()) && begin.kind() instanceof ExchangeBegin.Gather;
            check.that(whole && !state.gathered, "exchanges the logits otherwise than by gathering them once");
            state.gathered = true;
        }
        state.yielding |= touches;
    }

    /** A width for each node, and this node's own columns have values. */
    private void gather(OpCheck check, View view, List<Integer> widths) {
        check.that(
                widths.size() == group.nodes(), "gathers from %s nodes in a group of %s", widths.size(), group.nodes());
        int before = widths.subList(0, group.rank()).stream()
                .mapToInt(Integer::intValue)
                .sum();
        if (widths.get(group.rank()) > 0) {
            check.written(view.columns(before, widths.get(group.rank())));
        }
    }

    private static List<View> touched(Op op) {
        List<View> touched = new ArrayList<>(op.reads());
        touched.addAll(op.writes());
        if (op instanceof ExchangeBegin begin) {
            touched.add(begin.view());
        }
        return touched;
    }

    private void end() {
        require(begun.isEmpty(), "never awaits exchange %s", begun.keySet());
        View output = program.output();
        BitSet written = state.written.get(output.slot());
        require(
                written.nextClearBit(output.offset()) >= output.offset() + output.width(),
                "yields %s, which nothing has written",
                output);
        View logits = program.logits();
        require(
                logits == null || state.written.get(logits.slot()).nextClearBit(0) >= logits.width(),
                "yields logits that nothing has written");
        for (int cache = 0; cache < program.caches().size(); cache++) {
            require(state.caches.contains(cache), "has cache %s, which no op uses", cache);
        }
    }

    private void weights() {
        Set<String> unused = new TreeSet<>(program.weights().keySet());
        program.ops().forEach(op -> op.weights().forEach(unused::remove));
        require(unused.isEmpty(), "has weights that no op takes: %s", unused);
        Map<Path, Long> sizes = new HashMap<>();
        program.weights()
                .forEach((name, weight) ->
                        WeightCheck.check(name, weight, file -> sizes.computeIfAbsent(file, ProgramCheck::size)));
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            String what = Files.exists(file) ? "cannot be read: " + EspalierException.reason(e, file) : "is gone";
            throw new WeightException("the weights' file " + file + " " + what, e);
        }
    }

    private boolean inside(View view) {
        return view.slot() >= 0
                && view.slot() < program.slots().size()
                && view.offset() >= 0
                && view.width() > 0
                && (long) view.offset() + view.width() <= program.slots().get(view.slot());
    }

    private void write(View view) {
        state.written.get(view.slot()).set(view.offset(), view.offset() + view.width());
    }

    private void require(boolean holds, String otherwise, Object... values) {
        if (!holds) {
            throw new ProgramException(
                    "program '" + program.name() + "' " + String.format(Locale.ROOT, otherwise, values));
        }
    }
}
