package org.espalier.engine.reference;

import java.util.Set;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineException;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Precision;
import org.espalier.program.Program;

/** Runs programs in plain Java and float32: slow, readable, and what every other engine is compared with. */
public final class ReferenceEngine implements Engine {

    private final Parallel parallel = new Parallel();

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public Set<Precision> precisions() {
        return Set.of(Precision.FLOAT32);
    }

    @Override
    public LoadedProgram load(Program program, Precision precision) {
        if (precision != Precision.FLOAT32) {
            throw new EngineException("the reference engine has only precision float32, asked for " + precision);
        }
        return new ReferenceProgram(program, parallel);
    }

    @Override
    public void close() {
        parallel.close();
    }
}
