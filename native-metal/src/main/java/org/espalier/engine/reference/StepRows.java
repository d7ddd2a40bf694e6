package org.espalier.engine.reference;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.espalier.engine.Step;

/** The rows of a step: which session and position each belongs to. */
final class StepRows {

    private final List<Session> sessions = new ArrayList<>();
    private final List<Integer> positions = new ArrayList<>();
    private final List<Integer> tokens = new ArrayList<>();
    private final List<Integer> logitsRows = new ArrayList<>();

    void add(Session session, Step.Entry entry) {
        for (int i = 0; i < entry.rows(); i++) {
            boolean last = i == entry.rows() - 1;
            if (entry.logits() == Step.Logits.ALL || entry.logits() == Step.Logits.LAST && last) {
                logitsRows.add(count());
            }
            sessions.add(session);
            positions.add(entry.position() + i);
            tokens.add(entry.tokens() == null ? -1 : entry.tokens()[i]);
        }
    }

    /** T. */
    int count() {
        return sessions.size();
    }

    Session session(int t) {
        return sessions.get(t);
    }

    int position(int t) {
        return positions.get(t);
    }

    int token(int t) {
        return tokens.get(t);
    }

    KvCache cache(int t, int index) {
        return sessions.get(t).caches().get(index);
    }

    /** Rows that want logits, ascending. */
    int[] logitsRows() {
        return logitsRows.stream().mapToInt(Integer::intValue).toArray();
    }

    int[] all() {
        return IntStream.range(0, count()).toArray();
    }
}
