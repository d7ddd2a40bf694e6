package org.espalier.architecture;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.program.Add;
import org.espalier.program.ExchangeAwait;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;

/**
 * What the parts of a block add to the residual stream. Where a group shares the layer, a part is either a term of a sum over its nodes, or
 * computed whole by all of them; the sum is exchanged once, while the whole parts are computed.
 */
final class BlockSum {

    private final ProgramBuilder program;
    private final List<Part> parts = new ArrayList<>();
    private int exchanges;

    /** What this node has of a part. */
    enum Kind {
        /** All of it, as every node has. */
        WHOLE,
        /** A term of the sum over the group. */
        TERM,
        /** Nothing: its share is empty, but other nodes have terms. */
        NOTHING
    }

    /** @param end index of the op after those that compute it */
    private record Part(View view, Kind kind, int end) {}

    BlockSum(ProgramBuilder program) {
        this.program = program;
    }

    /** The ops so far have computed this part in {@code view}, [T, D]; for {@link Kind#NOTHING} the view is free. */
    void add(View view, Kind kind) {
        parts.add(new Part(view, kind, program.size()));
    }

    /** Whether this node computes the part in {@code view}. */
    boolean computes(View view) {
        return parts.stream().anyMatch(part -> part.view.equals(view) && part.kind != Kind.NOTHING);
    }

    /** An op has changed the part in {@code view}. */
    void changed(View view) {
        parts.replaceAll(part -> part.view.equals(view) ? new Part(view, part.kind, program.size()) : part);
    }

    /** Ends the block: a view with the sum of all parts, which every node of the group has. */
    View sum() {
        List<Part> terms = of(Kind.TERM).toList();
        List<Part> exchanged = Stream.concat(terms.stream(), of(Kind.NOTHING)).toList();
        List<View> rest = new ArrayList<>();
        if (!exchanged.isEmpty()) {
            rest.add(exchange(exchanged.get(0).view, terms));
        }
        of(Kind.WHOLE).forEach(part -> rest.add(part.view));
        rest.stream().skip(1).forEach(view -> program.op(new Add(rest.get(0), view, rest.get(0))));
        parts.clear();
        return rest.get(0);
    }

    private Stream<Part> of(Kind kind) {
        return parts.stream().filter(part -> part.kind == kind);
    }

    private View exchange(View view, List<Part> terms) {
        int id = exchanges++;
        terms.stream().skip(1).forEach(term -> program.op(new Add(view, term.view, view)));
        int begin = terms.size() > 1
                ? program.size()
                : parts.stream()
                        .filter(part -> part.view.equals(view))
                        .findFirst()
                        .orElseThrow()
                        .end;
        ExchangeBegin.Kind kind = terms.isEmpty() ? new ExchangeBegin.Zeros() : new ExchangeBegin.Sum();
        program.insert(begin, new ExchangeBegin(id, view, kind));
        program.op(new ExchangeAwait(id));
        return view;
    }

    /** Joins the columns of all nodes in {@code view}. */
    void gather(View view, List<Integer> widths) {
        int id = exchanges++;
        program.op(new ExchangeBegin(id, view, new ExchangeBegin.Gather(widths)))
                .op(new ExchangeAwait(id));
    }
}
