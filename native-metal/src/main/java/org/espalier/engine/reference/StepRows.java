package org.espalier.engine.reference;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.espalier.engine.Step;

/** The rows of a step: which session and position each belongs to. */
final class StepRows {

    private final Step step;
    private final Map<Long, Session> all;
    private final List<Session> sessions = new ArrayList<>();
    private final List<Integer> positions = new ArrayList<>();
    private final List<Integer> tokens = new ArrayList<>();
    private final List<Integer> greedy = new ArrayList<>();
    private final List<Integer> logitsRows = new ArrayList<>();
    private final List<Span> spans = new ArrayList<>();

    /** Rows {@code first} to {@code end} exclusive of the step, which follow each other in one session. */
    record Span(Session session, int first, int end) {

        int count() {
            return end - first;
        }
    }

    StepRows(Step step, Map<Long, Session> all) {
        this.step = step;
        this.all = all;
        for (Step.Entry entry : step.entries()) {
            Session session = all.get(entry.session());
            session.reserve(entry.position() + entry.rows());
            add(session, entry);
        }
    }

    private void add(Session session, Step.Entry entry) {
        spans.add(new Span(session, count(), count() + entry.rows()));
        for (int i = 0; i < entry.rows(); i++) {
            boolean last = i == entry.rows() - 1;
            if (entry.logits() == Step.Logits.ALL || entry.logits() == Step.Logits.LAST && last) {
                logitsRows.add(count());
            }
            sessions.add(session);
            positions.add(entry.position() + i);
            tokens.add(token(session, entry.input(), i));
        }
    }

    /** The row's token id; -1 for a row of activations. */
    private int token(Session session, Step.Input input, int row) {
        if (input instanceof Step.Input.Tokens given) {
            return given.ids()[row];
        }
        if (input instanceof Step.Input.Greedy) {
            greedy.add(session.greedy());
            return session.greedy();
        }
        return -1;
    }

    /**
     * The rows belong to their sessions now.
     *
     * @param logits [wanted rows][V], or none
     */
    void commit(float[][] logits) {
        int wanted = 0;
        for (Step.Entry entry : step.entries()) {
            wanted += entry.logitsRows();
            boolean has = logits.length > 0 && entry.logitsRows() > 0;
            all.get(entry.session()).commit(entry.position() + entry.rows(), has ? logits[wanted - 1] : null);
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

    /** The rows by session. */
    List<Span> spans() {
        return spans;
    }

    KvCache cache(int t, int index) {
        return sessions.get(t).cache(index);
    }

    /** The tokens that greedy entries took. */
    int[] greedy() {
        return greedy.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Rows that want logits, ascending. */
    int[] logitsRows() {
        return logitsRows.stream().mapToInt(Integer::intValue).toArray();
    }

    int[] all() {
        return IntStream.range(0, count()).toArray();
    }
}
