package org.espalier.node.ring;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureWire;
import org.espalier.v1.ForkSession;
import org.espalier.v1.Frame;
import org.espalier.v1.SessionOutcome;
import org.espalier.v1.TruncateSession;

/** What the head asks all nodes about a session, one question at a time, and what is to be done with their answer: why one refuses, or nothing. */
final class Questions {

    private final Map<Long, Consumer<Optional<Failure>>> asked = new HashMap<>();
    private final Consumer<Frame> ring;

    Questions(Consumer<Frame> ring) {
        this.ring = ring;
    }

    /** Has all nodes copy the first rows of a session. */
    void fork(HeadSession session, long from, int length, Consumer<Optional<Failure>> then) {
        asked.put(session.id, then);
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
        asked.put(session.id, refusal -> {
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
        Consumer<Optional<Failure>> then = asked.remove(outcome.getSession());
        if (then != null) {
            then.accept(
                    outcome.hasRefusal() ? Optional.of(FailureWire.decode(outcome.getRefusal())) : Optional.empty());
        }
    }

    /** The answer will mean nothing. */
    void forget(long session) {
        asked.remove(session);
    }
}
