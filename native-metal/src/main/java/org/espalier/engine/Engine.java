package org.espalier.engine;

import org.espalier.program.Program;

/**
 * One way to compute programs on one device. An implementation is small and trusts what it is given: {@link LoadedProgram} has checked program,
 * sessions and steps, and calls {@link #load} and everything of {@link Executor} on {@link #thread} only.
 */
public interface Engine extends AutoCloseable {

    /** The provider that started it: name, precisions, and what it can run. */
    EngineProvider provider();

    /** The engine's own thread, on which programs are loaded and run: devices bind their streams to one. */
    EngineThread thread();

    /**
     * Maps the weights and begins to make the program ready to run; {@link Executor#loadMore} does what takes long.
     *
     * @throws EngineException when a weight cannot be read; then nothing stays loaded
     * @throws CancelledException when the load was cancelled; then nothing stays loaded
     */
    Executor load(Program program, EngineOptions options, Loading loading);

    /** Ends the thread and with it all loaded programs. */
    @Override
    void close();
}
