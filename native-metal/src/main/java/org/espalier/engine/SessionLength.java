package org.espalier.engine;

import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import org.espalier.program.Cache;
import org.espalier.program.Program;

/** How long a session is and may become, and how far it can be truncated: the one place that knows what windowed caches and states forget. */
final class SessionLength {

    private final List<Cache> caches;
    private final int max;
    private int length;
    /** For each cache, the oldest row that it still has. */
    private final int[] oldest;
    /** Lengths at which its states were kept. */
    private final NavigableSet<Integer> snapshots = new TreeSet<>();

    SessionLength(Program program, int max) {
        this(program.caches(), max, 0, new int[program.caches().size()]);
    }

    private SessionLength(List<Cache> caches, int max, int length, int[] oldest) {
        this.caches = caches;
        this.max = max;
        this.length = length;
        this.oldest = oldest;
    }

    int get() {
        return length;
    }

    int max() {
        return max;
    }

    void grow(int newLength) {
        for (int i = 0; i < oldest.length; i++) {
            if (caches.get(i) instanceof Cache.Rows rows) {
                oldest[i] = Math.max(oldest[i], newLength - rows.kept(max));
            }
        }
        length = newLength;
    }

    /** Why it cannot be truncated; empty if every cache still has what the rows after {@code newLength} see. */
    Optional<String> reasonAgainstTruncation(int newLength) {
        for (int i = 0; i < oldest.length; i++) {
            if (caches.get(i) instanceof Cache.Rows rows) {
                if (rows.firstSeen(newLength) < Math.min(oldest[i], newLength)) {
                    return Optional.of(
                            "layers with a sliding window keep only " + Cache.Rows.SPARE + " rows beyond it");
                }
            } else if (newLength != length && newLength != 0 && !snapshots.contains(newLength)) {
                return Optional.of("layers with a state can go back only to nothing or to a snapshot, and there is "
                        + (snapshots.isEmpty() ? "none" : "one at " + inWords()));
            }
        }
        return Optional.empty();
    }

    private String inWords() {
        return String.join(", ", snapshots.stream().map(String::valueOf).toList());
    }

    /** Whether there are states that have to be kept if the session is to be truncated to its present length later on. */
    boolean needsSnapshot() {
        return length > 0 && !snapshots.contains(length) && caches.stream().anyMatch(Cache.State.class::isInstance);
    }

    /** Why no snapshot can be taken; empty if one can. */
    Optional<String> reasonAgainstSnapshot() {
        return snapshots.size() < Cache.State.SNAPSHOTS
                ? Optional.empty()
                : Optional.of("it has snapshots at " + inWords() + ", the most that are kept");
    }

    void snapshot() {
        snapshots.add(length);
    }

    /** Whether there was one. */
    boolean dropSnapshot(int at) {
        return snapshots.remove(at);
    }

    void truncate(int newLength) {
        for (int i = 0; i < oldest.length; i++) {
            oldest[i] = Math.min(oldest[i], newLength);
        }
        snapshots.tailSet(newLength, false).clear();
        length = newLength;
    }

    SessionLength copy(int newLength) {
        SessionLength copy = new SessionLength(caches, max, length, oldest.clone());
        copy.truncate(newLength);
        return copy;
    }
}
