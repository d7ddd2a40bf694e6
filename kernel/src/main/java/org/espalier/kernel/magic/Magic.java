package org.espalier.kernel.magic;

import java.util.List;
import org.espalier.kernel.jshell.CodeFailure;

/** A command of a notebook, {@code %name arguments} or, with a body, {@code %%name arguments}. A new one is a class and an entry in {@link Magics}. */
public interface Magic {

    /** What follows a magic's options, and what its body is. */
    enum Rest {
        /** Words, as a shell splits them. */
        WORDS,
        /** Text, byte for byte. */
        TEXT,
        /** Java, with magics in it. */
        JAVA
    }

    /** Without its percent signs. */
    String name();

    /** What it does, in one line. */
    String summary();

    /**
     * Its commands as picocli reads them, each annotated with the words that call it ({@code %model load}). Usage and completion follow from
     * them: a parameter's label says what it takes, see {@link Choices}.
     */
    default List<Object> commands() {
        return List.of();
    }

    default Rest rest() {
        return Rest.WORDS;
    }

    /** Its usage, with its options; shown by {@code %help}. */
    default String usage() {
        return Options.usage(commands().toArray());
    }

    /**
     * Runs it, on the thread that runs cells, or that runs the Java that it stands in; an interrupt of the cell interrupts this thread.
     *
     * @throws org.espalier.EspalierException with one clear sentence for what a user can fix
     * @throws CodeFailure of Java that it runs
     * @throws InterruptedException if the cell was interrupted
     */
    void run(MagicCall call) throws CodeFailure, InterruptedException;
}
