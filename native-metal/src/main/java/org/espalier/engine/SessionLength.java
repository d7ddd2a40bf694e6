package org.espalier.engine;

import java.util.List;
import java.util.Optional;
import org.espalier.program.Cache;
import org.espalier.program.Program;

/** How long a session is and may be, and how far it can be cut: the one place that knows what windowed caches and states forget. */
final class SessionLength {

    private final List<Cache> caches;
    private final int max;
    private int length;
    /** By cache, the oldest row that it still has. */
    private final int[] oldest;

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

    /** Empty where every cache still has what the rows after {@code newLength} see. */
    Optional<String> reasonAgainstCut(int newLength) {
        for (int i = 0; i < oldest.length; i++) {
            if (caches.get(i) instanceof Cache.Rows rows) {
                if (rows.firstSeen(newLength) < Math.min(oldest[i], newLength)) {
                    return Optional.of("layers that see a window of rows keep " + Cache.Rows.SPARE + " more than that");
                }
            } else if (newLength != length && newLength != 0) {
                return Optional.of("a state can be cut to nothing only");
            }
        }
        return Optional.empty();
    }

    void cut(int newLength) {
        for (int i = 0; i < oldest.length; i++) {
            oldest[i] = Math.min(oldest[i], newLength);
        }
        length = newLength;
    }

    SessionLength copy(int newLength) {
        SessionLength copy = new SessionLength(caches, max, length, oldest.clone());
        copy.cut(newLength);
        return copy;
    }
}
