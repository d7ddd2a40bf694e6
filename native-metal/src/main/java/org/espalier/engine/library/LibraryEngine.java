package org.espalier.engine.library;

import java.util.ArrayList;
import java.util.List;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.EngineThread;
import org.espalier.engine.Executor;
import org.espalier.engine.Loading;
import org.espalier.program.Program;

/** An engine in a native library. */
final class LibraryEngine implements Engine {

    private final EngineProvider provider;
    private final EspalierLibrary library;
    private final EngineThread thread;
    private final List<LibraryExecutor> loaded = new ArrayList<>();

    LibraryEngine(EngineProvider provider, EspalierLibrary library) {
        this.provider = provider;
        this.library = library;
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
        LibraryExecutor executor = LibraryExecutor.begin(library, program, options);
        loaded.removeIf(LibraryExecutor::isClosed);
        loaded.add(executor);
        return executor;
    }

    /** On the engine's thread, once what it does has ended. */
    @Override
    public void close() {
        thread.closeAfter(() -> loaded.forEach(LibraryExecutor::close));
    }
}
