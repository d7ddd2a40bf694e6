package org.espalier.node.ring;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Sessions that are ready for their next step, by client: clients take turns, and so do the sessions of one. */
final class Turns {

    /**
     * One client's ready sessions: those that feed their newest token, those that read a prompt, and those whose last step failed for all its
     * sessions, which need one of their own.
     */
    static final class Ready {
        final Deque<HeadSession> decoding = new ArrayDeque<>();
        final Deque<HeadSession> prefilling = new ArrayDeque<>();
        final Deque<HeadSession> alone = new ArrayDeque<>();

        private Deque<HeadSession> of(HeadSession session) {
            return session.isAlone() ? alone : session.decoding() ? decoding : prefilling;
        }

        private boolean isEmpty() {
            return decoding.isEmpty() && prefilling.isEmpty() && alone.isEmpty();
        }
    }

    private final Map<String, Ready> byClient = new LinkedHashMap<>();

    void add(HeadSession session) {
        byClient.computeIfAbsent(session.connection, client -> new Ready())
                .of(session)
                .add(session);
    }

    /** Takes a session out; false if it is not here. */
    boolean remove(HeadSession session) {
        Ready ready = byClient.get(session.connection);
        boolean removed = ready != null && ready.of(session).remove(session);
        settle();
        return removed;
    }

    boolean isEmpty() {
        return byClient.isEmpty();
    }

    /** The clients with ready sessions, the one whose turn it is first. */
    List<Ready> inOrder() {
        return new ArrayList<>(byClient.values());
    }

    /** The first {@code count} clients have had their turn: they are the last the next time. */
    void rotate(int count) {
        for (String client : List.copyOf(byClient.keySet()).subList(0, count)) {
            byClient.put(client, byClient.remove(client));
        }
        settle();
    }

    private void settle() {
        byClient.values().removeIf(Ready::isEmpty);
    }
}
