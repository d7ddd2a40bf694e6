package org.espalier.node.ring;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which generations run and which wait: a client may have as many of either as are left for others. One waits also where memory for the rows
 * that it may come to is taken; those of other clients that fit go before it, some of them.
 */
final class Admission {

    private final RingLimits limits;
    private final WaitingRoom waiting = new WaitingRoom();
    /** How many generations of each client run. */
    private final Map<String, Integer> running = new HashMap<>();

    private int count;
    /** Rows of sessions for which the nodes have KV memory, and how many of them those that run may come to. */
    private long rows = Long.MAX_VALUE;

    private long taken;
    /** How many rows each takes beside its own, and as many for each snapshot. */
    private long sessionRows;

    Admission(RingLimits limits) {
        this.limits = limits;
    }

    int running() {
        return count;
    }

    int waiting() {
        return waiting.size();
    }

    void setRows(long most, long ofEachSession) {
        rows = most;
        sessionRows = ofEachSession;
    }

    private long rows(HeadSession session) {
        return session.maxLength() + sessionRows * (1 + session.request.getSnapshotsCount());
    }

    /** Whether a further one can neither run nor wait. */
    boolean isFull(HeadSession session) {
        int waits = waiting.of(session.connection);
        return waits >= limits.waiting() - waiting.size() && !(waits == 0 && mayRun(session));
    }

    /** Whether its client may have one more, and there is memory for it; what fits no memory is tried alone, and refused by the engine. */
    private boolean mayRun(HeadSession session) {
        return mayRun(session.connection) && fits(session);
    }

    private boolean fits(HeadSession session) {
        return count == 0 || rows(session) <= rows - taken;
    }

    boolean mayRun(String client) {
        return running.getOrDefault(client, 0) < limits.running() - count;
    }

    void await(HeadSession session) {
        waiting.add(session);
    }

    /** The next one that may run, if any: it counts as running. */
    Optional<HeadSession> next() {
        if (count >= limits.running()) {
            return Optional.empty();
        }
        Optional<HeadSession> next = waiting.next(this::mayRun, this::fits);
        next.ifPresent(this::run);
        return next;
    }

    /** One runs, without having waited. */
    void run(HeadSession session) {
        running.merge(session.connection, 1, Integer::sum);
        taken += rows(session);
        count++;
    }

    /** One that ran has ended. */
    void ended(HeadSession session) {
        running.computeIfPresent(session.connection, (client, many) -> many == 1 ? null : many - 1);
        taken -= rows(session);
        count--;
    }

    /** One that waits waits no longer; false if it did not. */
    boolean remove(HeadSession session) {
        return waiting.remove(session);
    }

    Optional<HeadSession> findWaiting(long id) {
        return waiting.find(id);
    }

    /** Those that wait, in the order in which they will run, as far as one can know. */
    List<HeadSession> inOrder() {
        return waiting.inOrder();
    }
}
