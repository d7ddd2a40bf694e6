package org.espalier.node.ring;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.failure.Failure;

/** Sessions that rest because their clients do not read their replies, and since when. */
final class Unread {

    private final RingLimits limits;
    private final Map<HeadSession, Long> since = new LinkedHashMap<>();

    Unread(RingLimits limits) {
        this.limits = limits;
    }

    /** Whether a session has to rest. */
    boolean isTooMuch(HeadSession session) {
        return session.replies.unreadBytes() > limits.unreadBytes();
    }

    void add(HeadSession session, long now) {
        since.put(session, now);
    }

    boolean contains(HeadSession session) {
        return since.containsKey(session);
    }

    /** False if it is not here. */
    boolean remove(HeadSession session) {
        return since.remove(session) != null;
    }

    /** Those that have rested for too long. */
    List<HeadSession> overdue(long now) {
        return since.entrySet().stream()
                .filter(unread -> now - unread.getValue() > limits.unreadTime().toNanos())
                .map(Map.Entry::getKey)
                .toList();
    }

    Failure failure(HeadSession session, String node) {
        return new Failure(
                node,
                Failure.Kind.TIMED_OUT,
                "the generation of session " + session.id + " was ended: its client has left "
                        + session.replies.unreadBytes() + " bytes unread for "
                        + limits.unreadTime().toSeconds() + " s");
    }
}
