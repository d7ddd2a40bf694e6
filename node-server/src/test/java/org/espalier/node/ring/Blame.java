package org.espalier.node.ring;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.espalier.failure.Failure;

/** What the faults of a simulation explain: of several any one. */
final class Blame {

    private final Set<String> nodes = new TreeSet<>();
    /** What only one session's failure may name. */
    private final Map<Long, Set<String>> ofSession = new HashMap<>();
    /** Where steps fail for no session's fault: one is forgiven, unless a session's own fault has already had its step tried again. */
    private final List<String> transientFaults = new ArrayList<>();

    /** Where forks come from: without the one there is no other. */
    private final Map<Long, Long> origins = new HashMap<>();

    private boolean placedAgain;

    void node(String name) {
        nodes.add(name);
    }

    void session(long session, String name) {
        ofSession.computeIfAbsent(session, id -> new TreeSet<>()).add(name);
    }

    void fork(long from, long to) {
        origins.put(to, from);
    }

    void transientFault(String name) {
        transientFaults.add(name);
    }

    void placedAgain() {
        placedAgain = true;
    }

    /** Whether there is no reason for silence. */
    boolean isNone() {
        return nodes.isEmpty() && !placedAgain;
    }

    boolean explains(long session, Failure failure) {
        if (failure.kind() == Failure.Kind.REFUSED && failure.message().endsWith("is not joined yet")
                || placedAgain && failure.kind() == Failure.Kind.DEPLOYMENT_GONE) {
            return true;
        }
        boolean repeated = transientFaults.size() + ofSession.size() > 1;
        return nodes.contains(failure.node())
                || ofSession(session).contains(failure.node())
                || ofSession(origins.getOrDefault(session, session)).contains(failure.node())
                || repeated && transientFaults.contains(failure.node());
    }

    private Set<String> ofSession(long session) {
        return ofSession.getOrDefault(session, Set.of());
    }

    void clear() {
        nodes.clear();
        ofSession.clear();
        transientFaults.clear();
        placedAgain = false;
    }

    @Override
    public String toString() {
        return nodes + (placedAgain ? " or a placement" : "");
    }
}
