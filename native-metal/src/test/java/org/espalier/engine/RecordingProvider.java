package org.espalier.engine;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.espalier.engine.library.Recording;
import org.espalier.program.Program;

/** An engine of which every program is recorded, with its weights, in a folder of its own. */
final class RecordingProvider implements ForwardingProvider {

    private final EngineProvider recorded;
    private final Path directory;
    private final AtomicInteger programs = new AtomicInteger();

    RecordingProvider(EngineProvider recorded, Path directory) {
        this.recorded = recorded;
        this.directory = directory;
    }

    @Override
    public EngineProvider provider() {
        return recorded;
    }

    @Override
    public String name() {
        return recorded.name() + ", recorded";
    }

    @Override
    public Engine start() {
        return new RecordingEngine(recorded.start());
    }

    private final class RecordingEngine implements Engine {

        private final Engine engine;

        private RecordingEngine(Engine engine) {
            this.engine = engine;
        }

        @Override
        public EngineProvider provider() {
            return RecordingProvider.this;
        }

        @Override
        public EngineThread thread() {
            return engine.thread();
        }

        @Override
        public Executor load(Program program, EngineOptions options, Loading loading) {
            Path to = directory.resolve(String.valueOf(programs.getAndIncrement()));
            return new Recording(to, Recording.Weights.COPIED).of(engine).load(program, options, loading);
        }

        @Override
        public void close() {
            engine.close();
        }
    }
}
