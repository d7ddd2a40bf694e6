package org.espalier.engine;

import java.util.Optional;
import java.util.Set;
import org.espalier.program.Program;

/** A provider that does something beside what another one does. */
public interface ForwardingProvider extends EngineProvider {

    /** The other one. */
    EngineProvider provider();

    @Override
    default String name() {
        return provider().name();
    }

    @Override
    default Availability availability() {
        return provider().availability();
    }

    @Override
    default Set<Precision> precisions() {
        return provider().precisions();
    }

    @Override
    default Optional<String> refusal(Program program, EngineOptions options) {
        return provider().refusal(program, options);
    }

    @Override
    default boolean onlyByName() {
        return provider().onlyByName();
    }

    @Override
    default boolean mayAbort() {
        return provider().mayAbort();
    }

    @Override
    default Optional<Crossing> crossing() {
        return provider().crossing();
    }

    @Override
    default void prepare(Loading loading) {
        provider().prepare(loading);
    }

    @Override
    default Engine start() {
        return provider().start();
    }
}
