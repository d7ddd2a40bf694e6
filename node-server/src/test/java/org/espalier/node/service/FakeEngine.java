package org.espalier.node.service;

import java.util.Optional;
import java.util.Set;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.EngineThread;
import org.espalier.engine.Executor;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.Precision;
import org.espalier.program.Program;

/** Runs {@link FakeProgram}s under the same checks as real ones. */
public final class FakeEngine implements Engine, EngineProvider {

    private final EngineThread thread = new EngineThread("fake");
    private Executor next;

    LoadedProgram load(FakeProgram program) {
        return load(program, program);
    }

    /** @param executor runs the program, perhaps with faults of its own */
    public LoadedProgram load(FakeProgram program, Executor executor) {
        return thread.call(() -> {
            next = executor;
            return LoadedProgram.load(this, program.program(), EngineOptions.FLOAT32, Loading.quietly());
        });
    }

    @Override
    public EngineProvider provider() {
        return this;
    }

    @Override
    public EngineThread thread() {
        return thread;
    }

    @Override
    public Executor load(Program program, EngineOptions options, Loading loading) {
        return next;
    }

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public Availability availability() {
        return new Availability.Ready("nothing");
    }

    @Override
    public Set<Precision> precisions() {
        return Set.of(Precision.FLOAT32);
    }

    @Override
    public Optional<String> refusal(Program program, EngineOptions options) {
        return Optional.empty();
    }

    @Override
    public Engine start() {
        return this;
    }

    @Override
    public void close() {
        thread.close();
    }
}
