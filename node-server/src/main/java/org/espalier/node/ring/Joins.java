package org.espalier.node.ring;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.espalier.failure.Failure;

/** Who waits for the next node's answer. */
final class Joins {

    private static final int MOST = 1024;

    private final List<Consumer<Optional<Failure>>> waiting = new ArrayList<>();

    /** False if there are too many already. */
    boolean add(Consumer<Optional<Failure>> done) {
        return waiting.size() < MOST && waiting.add(done);
    }

    /** Tells all, once. */
    void answer(Optional<Failure> refusal) {
        List<Consumer<Optional<Failure>>> told = List.copyOf(waiting);
        waiting.clear();
        told.forEach(done -> done.accept(refusal));
    }
}
