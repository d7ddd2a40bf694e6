package org.espalier.engine.library;

import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Executor;
import org.espalier.engine.ForwardingEngine;
import org.espalier.engine.Loading;
import org.espalier.program.Program;

/** An engine of which one program is recorded. */
record RecordedEngine(Engine engine, Recording recording) implements ForwardingEngine {

    @Override
    public Executor load(Program program, EngineOptions options, Loading loading) {
        Executor loaded = engine.load(program, options, loading);
        try {
            return recording.begin(program, options, loaded);
        } catch (RuntimeException | Error e) {
            loaded.close();
            throw e;
        }
    }
}
