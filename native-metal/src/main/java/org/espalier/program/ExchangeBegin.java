package org.espalier.program;

import java.util.List;

/**
 * Begins to exchange {@code view} with the nodes that share this layer. Ops between this and its {@link ExchangeAwait} run in the meantime and
 * do not touch the view; after it every node has the same bits there. An exchange of {@link Program#logits} has the R rows that are wanted,
 * and is left out by all nodes where there are none.
 *
 * @param id different for every exchange of a program
 * @param view [T, width]; of the logits [R, width]
 */
public record ExchangeBegin(int id, View view, Kind kind) implements Op {

    /** What the nodes of a group make of their views. */
    public sealed interface Kind {}

    /** Every node's view is a partial sum; after it the sum in the order of the nodes' ranks. */
    public record Sum() implements Kind {}

    /** As {@link Sum}, on a node whose share of the sum is empty: it contributes zeros, whatever the view holds. */
    public record Zeros() implements Kind {}

    /**
     * Every node has columns of its own, in the order of ranks; after it all nodes have all of them.
     *
     * @param widths columns of each rank, of which some may be 0; together the view's
     */
    public record Gather(List<Integer> widths) implements Kind {
        public Gather {
            widths = List.copyOf(widths);
        }
    }

    @Override
    public List<View> reads() {
        return List.of(); // of a gathered view a node has written its own columns only
    }

    @Override
    public List<View> writes() {
        return List.of();
    }

    @Override
    public List<String> weights() {
        return List.of();
    }

    @Override
    public void check(OpCheck check) {
        if (kind instanceof Gather gather) {
            long all = gather.widths().stream().mapToLong(Integer::longValue).sum();
            boolean none = gather.widths().stream().anyMatch(width -> width < 0);
            check.that(!none && all == view.width(), "gathers %s columns into %s", gather.widths(), view.width());
        } else if (kind instanceof Sum) {
            check.written(view);
        }
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.exchangeBegin(this);
    }
}
