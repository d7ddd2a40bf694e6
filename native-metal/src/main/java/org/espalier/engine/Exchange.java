package org.espalier.engine;

import java.nio.ByteBuffer;
import org.espalier.program.ExchangeBegin;

/**
 * How nodes that share a layer exchange values. An engine calls it at each exchange op, on the thread that runs the step.
 *
 * <p>A group cancels only by a flag that travels with the exchange: every member sees the same outcome, so that none stops alone.
 */
public interface Exchange {

    /** For programs that share no layer: every partial sum is already whole. */
    Exchange ALONE = new Exchange() {
        @Override
        public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {}

        @Override
        public Outcome await(int id) {
            return Outcome.DONE;
        }
    };

    enum Outcome {
        DONE,
        /** A member of the group was cancelled: the step ends on all of them. */
        CANCELLED,
        /** A member of the group failed or is gone. */
        FAILED
    }

    /**
     * Sends this node's values and returns at once.
     *
     * @param values [T, width] in the precision of the run, little-endian, from position to limit; of a {@link ExchangeBegin.Gather} this node's
     *     columns are set. It stays untouched until {@link #await}, which leaves the result in it
     * @param cancel looked at once, now
     */
    void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel);

    /** Waits until the values of all nodes are there, sums added in the order of ranks, so that every node gets the same bits. */
    Outcome await(int id);
}
