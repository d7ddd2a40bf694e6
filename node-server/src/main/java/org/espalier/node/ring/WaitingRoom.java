package org.espalier.node.ring;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** Generations that wait until they may run: clients take turns, and a client's generations keep their order. */
final class WaitingRoom {

    /** After so many others one that does not fit yet is waited for. */
    private static final int MOST_OVERTAKEN = 8;

    private final Map<String, Deque<HeadSession>> byClient = new LinkedHashMap<>();
    private final Map<Long, HeadSession> byId = new HashMap<>();

    int size() {
        return byId.size();
    }

    Optional<HeadSession> find(long id) {
        return Optional.ofNullable(byId.get(id));
    }

    int of(String client) {
        Deque<HeadSession> queue = byClient.get(client);
        return queue == null ? 0 : queue.size();
    }

    void add(HeadSession session) {
        byClient.computeIfAbsent(session.connection, client -> new ArrayDeque<>())
                .add(session);
        byId.put(session.id, session);
    }

    boolean remove(HeadSession session) {
        if (byId.remove(session.id) == null) {
            return false;
        }
        byClient.get(session.connection).remove(session);
        byClient.values().removeIf(Collection::isEmpty);
        return true;
    }

    /**
     * Takes the next one of the first client that may have one more, if it fits; that client is the last the next time. Those that fit go before
     * one that does not, but not for ever.
     */
    Optional<HeadSession> next(Predicate<String> mayRun, Predicate<HeadSession> fits) {
        List<HeadSession> passed = new ArrayList<>();
        for (String client : List.copyOf(byClient.keySet())) {
            HeadSession next = byClient.get(client).element();
            if (!mayRun.test(client)) {
                continue;
            }
            if (fits.test(next)) {
                passed.forEach(HeadSession::overtake);
                take(client);
                return Optional.of(next);
            }
            if (next.overtaken() >= MOST_OVERTAKEN) {
                return Optional.empty();
            }
            passed.add(next);
        }
        return Optional.empty();
    }

    private void take(String client) {
        Deque<HeadSession> queue = byClient.remove(client);
        byId.remove(queue.remove().id);
        if (!queue.isEmpty()) {
            byClient.put(client, queue);
        }
    }

    /** In the order in which they will run, as far as one can know. */
    List<HeadSession> inOrder() {
        List<HeadSession> order = new ArrayList<>(size());
        List<List<HeadSession>> queues = new ArrayList<>();
        byClient.values().forEach(queue -> queues.add(new ArrayList<>(queue)));
        for (int round = 0; order.size() < size(); round++) {
            for (List<HeadSession> queue : queues) {
                if (round < queue.size()) {
                    order.add(queue.get(round));
                }
            }
        }
        return order;
    }
}
