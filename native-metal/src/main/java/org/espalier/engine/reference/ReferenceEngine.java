package org.espalier.engine.reference;

import java.util.ArrayList;
import java.util.List;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.EngineThread;
import org.espalier.engine.Executor;
import org.espalier.engine.Loading;
import org.espalier.program.Program;

/** Runs programs in plain Java and float32: slow, readable, and what every other engine is compared with. */
public final class ReferenceEngine implements Engine {

    private final EngineProvider provider;
    private final Numbers numbers;
    private final EngineThread thread;
    private final List<ReferenceExecutor> loaded = new ArrayList<>();

    public ReferenceEngine() {
        this(new ReferenceProvider(), Numbers.FLOAT32);
    }

    ReferenceEngine(EngineProvider provider, Numbers numbers) {
        this.provider = provider;
        this.numbers = numbers;
        this.thread = new EngineThread(provider.name());
    }

    @Override
    public EngineProvider provider() {
        return provider;
    }

    @Override
    public EngineThread thread() {
        return thread;
    }

    @Override
    public Executor load(Program program, EngineOptions options, Loading loading) {
        ReferenceExecutor executor = ReferenceExecutor.load(program, options, loading, numbers);
        loaded.removeIf(ReferenceExecutor::isClosed);
        loaded.add(executor);
        return executor;
    }

    /** On the engine's thread, once what it does has ended: mappings and threads go with their programs. */
    @Override
    public void close() {
        thread.closeAfter(() -> loaded.forEach(ReferenceExecutor::close));
    }
}
