package org.espalier.engine;

import java.util.Set;
import org.espalier.program.Program;

/** One way to compute programs on one device. {@link #load} may be called from any thread. */
public interface Engine extends AutoCloseable {

    /** The name that {@code --engine} takes, for instance {@code reference}. */
    String name();

    Set<Precision> precisions();

    /**
     * Maps or reads the weights and makes the program ready to run.
     *
     * @throws EngineException when a weight cannot be read or an op is not supported; nothing stays loaded then
     */
    LoadedProgram load(Program program, Precision precision);

    @Override
    void close();
}
