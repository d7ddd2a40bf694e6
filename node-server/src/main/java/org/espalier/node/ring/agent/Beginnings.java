package org.espalier.node.ring.agent;

import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.espalier.failure.Failure;
import org.espalier.node.ring.HeadSession;
import org.espalier.node.ring.Member;
import org.espalier.v1.GenerateRequest;

/**
 * The generations of a ring that are not begun yet: their tokenizer is being opened, or the agent has not come to them. For any thread: whoever
 * removes one begins or answers it.
 */
final class Beginnings {

    private final ConcurrentMap<Long, Asked> asked = new ConcurrentHashMap<>();

    /** How a generation begins, on the agent's thread. */
    @FunctionalInterface
    interface Start {
        void begin(Member machine, HeadSession session);
    }

    /**
     * A generation that was asked for.
     *
     * @param session that it will have
     * @param taken whether somebody makes its session
     */
    record Asked(
            long session,
            GenerateRequest request,
            String connection,
            GrpcReplies replies,
            Start start,
            AtomicBoolean taken) {

        /** False if somebody else makes its session. */
        boolean take() {
            return taken.compareAndSet(false, true);
        }

        boolean needsText() {
            return request.getStopStringsCount() > 0;
        }

        boolean isOf(String client, String connection) {
            return request.getClient().equals(client) && this.connection.equals(connection);
        }
    }

    void add(Asked one) {
        asked.put(one.session, one);
    }

    /** False if it was begun or answered by somebody else. */
    boolean remove(Asked one) {
        return asked.remove(one.session) != null;
    }

    /** Answers one; false if it is not here. */
    boolean fail(long session, Failure why) {
        Optional<Asked> one = Optional.ofNullable(asked.remove(session));
        one.ifPresent(here -> here.replies.fail(why));
        return one.isPresent();
    }

    void failIf(Predicate<Asked> which, Failure why) {
        each(one -> {
            if (which.test(one)) {
                fail(one.session, why);
            }
        });
    }

    void each(Consumer<Asked> action) {
        asked.values().forEach(action);
    }
}
