package org.espalier.engine;

import org.espalier.program.Program;

/** An engine that does something beside what another one does. */
public interface ForwardingEngine extends Engine {

    /** The other one. */
    Engine engine();

    @Override
    default EngineProvider provider() {
        return engine().provider();
    }

    @Override
    default EngineThread thread() {
        return engine().thread();
    }

    @Override
    default Executor load(Program program, EngineOptions options, Loading loading) {
        return engine().load(program, options, loading);
    }

    @Override
    default void close() {
        engine().close();
    }
}
