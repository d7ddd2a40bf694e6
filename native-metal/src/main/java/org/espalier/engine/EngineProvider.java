package org.espalier.engine;

import java.util.Optional;
import java.util.Set;
import org.espalier.program.Program;

/** What is known of an engine without starting it. Only {@link #prepare} and {@link #start} load a library or fetch anything. */
public interface EngineProvider {

    /** The name that {@code --engine} takes, for instance {@code reference}. */
    String name();

    /** Whether it can be started on this machine. */
    Availability availability();

    Set<Precision> precisions();

    /** Why it cannot run this program with these options, naming op or weight; empty if it can. */
    Optional<String> refusal(Program program, EngineOptions options);

    /** Whether it is chosen only by name, such as an accelerator library that would run on the processor. */
    default boolean onlyByName() {
        return false;
    }

    /** Whether a failure of its code could end the process, as one of native code could. */
    default boolean mayAbort() {
        return false;
    }

    /** What an exchange within a step costs it; empty where nothing is known. */
    default Optional<Crossing> crossing() {
        return Optional.empty();
    }

    /**
     * Fetches what {@link Availability.Obtainable} says.
     *
     * @throws CancelledException when it was cancelled
     * @throws EngineException when it cannot be fetched
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
