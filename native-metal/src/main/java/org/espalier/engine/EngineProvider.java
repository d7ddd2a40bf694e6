package org.espalier.engine;

import java.util.Optional;
import java.util.Set;
import org.espalier.program.Program;

/** What is known of an engine without starting it: nothing here loads a library or fetches anything, but {@link #prepare} and {@link #start}. */
public interface EngineProvider {

    /** The name that {@code --engine} takes, for instance {@code reference}. */
    String name();

    /** Whether it can be started on this machine. */
    Availability availability();

    Set<Precision> precisions();

    /** Why it cannot run this program so, naming op or weight; empty where it can. */
    Optional<String> refusal(Program program, EngineOptions options);

    /** Whether it is chosen only when it is named, as an accelerator's library is on a processor. */
    default boolean onlyByName() {
        return false;
    }

    /**
     * Fetches what {@link Availability.Obtainable} says.
     *
     * @throws CancelledException when it was cancelled
     * @throws EngineException when it cannot be had
     */
    default void prepare(Loading loading) {}

    /** @throws EngineException unless it is ready */
    Engine start();

    /** Whether an engine can be started. */
    sealed interface Availability {

        /** @param device what it runs on, for people */
        record Ready(String device) implements Availability {}

        /** {@link #prepare} makes it ready. */
        record Obtainable(String what, long bytes) implements Availability {}

        record Missing(String why) implements Availability {}
    }
}
