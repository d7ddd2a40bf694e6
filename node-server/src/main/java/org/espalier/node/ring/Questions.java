package org.espalier.node.ring;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureWire;
import org.espalier.v1.ForkSession;
import org.espalier.v1.Frame;
import org.espalier.v1.SessionOutcome;
import org.espalier.v1.TruncateSession;

/** What the head asks all nodes about a session, one question at a time, and what is to be done with their answer: why one refuses, or nothing. */
final class Questions {

    private record Asked(Consumer<Optional<Failure>> then, long since) {}

    /** The oldest first. */
    private final Map<Long, Asked> asked = new LinkedHashMap<>();

    private final Consumer<Frame> ring;
    private final LongSupplier nanos;

    Questions(Consumer<Frame> ring, LongSupplier nanos) {
        this.ring = ring;
        this.nanos = nanos;
    }

    private void ask(long session, Consumer<Optional<Failure>> then) {
        asked.remove(session);
        asked.put(session, new Asked(then, nanos.getAsLong()));
    }

    /** For how long a question has been waiting for its answer, in nanoseconds; 0 if there is none. */
    long oldest(long now) {
        return asked.isEmpty() ? 0 : now - asked.values().iterator().next().since;
    }

    /** Has all nodes copy the first rows of a session. */
    void fork(HeadSession session, long from, int length, Consumer<Optional<Failure>> then) {
        ask(session.id, then);
        ring.accept(Frame.newBuilder()
                .setFork(ForkSession.newBuilder()
                        .setFrom(from)
                        .setTo(session.id)
                        .setLength(length)
                        .setSampling(session.request.getSampling()))
                .build());
    }

    /** Asks all nodes whether they can truncate a session, and has them do it if none refuses. */
    void truncate(HeadSession session, int length, Consumer<Optional<Failure>> then) {
        TruncateSession truncate = TruncateSession.newBuilder()
                .setSession(session.id)
                .setLength(length)
                .build();
        ask(session.id, refusal -> {
            if (refusal.isEmpty()) {
                ring.accept(Frame.newBuilder().setTruncate(truncate).build());
            }
            then.accept(refusal);
        });
        ring.accept(Frame.newBuilder()
                .setTruncate(truncate.toBuilder().setCheck(true))
                .build());
    }

    /** All nodes have answered; has no effect where the session has ended in the meantime. */
    void answered(SessionOutcome outcome) {
        Asked answered = asked.remove(outcome.getSession());
        if (answered != null) {
            answered.then.accept(
                    outcome.hasRefusal() ? Optional.of(FailureWire.decode(outcome.getRefusal())) : Optional.empty());
        }
    }

    /** The answer will mean nothing. */
    void forget(long session) {
        asked.remove(session);
    }
}
