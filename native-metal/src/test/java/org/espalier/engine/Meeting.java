package org.espalier.engine;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.espalier.program.ExchangeBegin;

/**
 * Where the nodes of a group meet within one process: adds up or joins what they bring, in the order of ranks. A flag that one of them brings
 * cancels all of them, and one that {@link #leave leaves} fails all of them. Every wait ends.
 */
public final class Meeting {

    private static final int LONGEST_WAIT_SECONDS = 20;

    private final int size;
    private final Wire wire;
    private final Map<String, Round> rounds = new HashMap<>();
    private boolean left;

    public Meeting(int size, Wire wire) {
        this.size = size;
        this.wire = wire;
    }

    /** One exchange of one step. */
    private final class Round {
        private final CountDownLatch missing = new CountDownLatch(size);
        private final List<float[]> brought = new ArrayList<>();
        private boolean cancelled;

        Round() {
            for (int rank = 0; rank < size; rank++) {
                brought.add(null);
            }
        }

        private synchronized boolean whole() {
            return !brought.contains(null);
        }

        /** Lets everyone go who waits. */
        private void end() {
            while (missing.getCount() > 0) {
                missing.countDown();
            }
        }
    }

    private synchronized Round round(String key) {
        Round round = rounds.computeIfAbsent(key, k -> new Round());
        if (left) {
            round.end();
        }
        return round;
    }

    private synchronized boolean left() {
        return left;
    }

    /** A node goes before the step has ended: the others fail at the exchange at which they are, or at the next one. */
    public synchronized void leave() {
        left = true;
        rounds.values().forEach(Round::end);
    }

    public Exchange of(int rank) {
        return new Member(rank);
    }

    private final class Member implements Exchange {

        private final int rank;
        private final Map<Integer, Integer> times = new HashMap<>();
        private final Map<Integer, ExchangeBegin> ops = new HashMap<>();
        private final Map<Integer, ByteBuffer> results = new HashMap<>();

        Member(int rank) {
            this.rank = rank;
        }

        @Override
        public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {
            ops.put(op.id(), op);
            results.put(op.id(), values);
            float[] mine = new float[wire.count(values)];
            for (int i = 0; i < mine.length; i++) {
                mine[i] = wire.get(values, i);
            }
            Round round = round(op.id() + "/" + times.merge(op.id(), 1, Integer::sum));
            synchronized (round) {
                round.brought.set(rank, mine);
                round.cancelled |= cancel.isSet();
            }
            round.missing.countDown();
        }

        @Override
        public Outcome await(int id) {
            Round round = round(id + "/" + times.get(id));
            try {
                if (!round.missing.await(LONGEST_WAIT_SECONDS, TimeUnit.SECONDS)) {
                    throw new IllegalStateException("node " + rank + " waited " + LONGEST_WAIT_SECONDS
                            + " s at exchange " + id + " for the others");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return Outcome.FAILED;
            }
            if (left() && !round.whole()) {
                return Outcome.FAILED;
            }
            synchronized (round) {
                if (round.cancelled) {
                    return Outcome.CANCELLED;
                }
                ByteBuffer into = results.get(id);
                for (int i = 0; i < wire.count(into); i++) {
                    wire.set(into, i, value(round, ops.get(id), i));
                }
            }
            return Outcome.DONE;
        }

        private float value(Round round, ExchangeBegin op, int index) {
            if (op.kind() instanceof ExchangeBegin.Gather gather) {
                int column = index % op.view().width();
                int owner = 0;
                for (int end = gather.widths().get(0);
                        column >= end;
                        end += gather.widths().get(owner)) {
                    owner++;
                }
                return round.brought.get(owner)[index];
            }
            float sum = 0;
            for (float[] part : round.brought) {
                sum += part[index];
            }
            return sum;
        }
    }
}
