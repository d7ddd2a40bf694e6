package org.espalier.engine;

import static org.junit.jupiter.api.Assumptions.abort;

import java.util.Set;
import org.espalier.program.Program;

/** The engine and the precision that the suites are run for. */
final class EngineUnderTest implements AutoCloseable {

    private final Engine engine;
    private final EngineOptions options;
    private final Differences differences;

    EngineUnderTest(EngineProvider provider, Precision precision) {
        engine = provider.start();
        options = EngineOptions.FLOAT32.with(precision);
        differences = new Differences(provider.name(), precision);
    }

    /** Skips the test, with the reason, where an engine cannot be started on this machine. */
    static EngineProvider requireReady(EngineProvider provider) {
        if (provider.availability() instanceof EngineProvider.Availability.Missing missing) {
            abort("the engine " + provider.name() + " is missing here: " + missing.why());
        }
        return provider;
    }

    Engine engine() {
        return engine;
    }

    Precision precision() {
        return options.precision();
    }

    /** In the precision under test, alone, with nothing prepared. */
    EngineOptions options() {
        return options;
    }

    EngineOptions threads(int threads) {
        return new EngineOptions(precision(), options.group(), options.kvType(), 0, threads, Set.of());
    }

    Differences differences() {
        return differences;
    }

    LoadedProgram load(Program program) {
        return load(program, options);
    }

    LoadedProgram load(Program program, EngineOptions with) {
        return LoadedProgram.load(engine, program, with, Loading.quietly());
    }

    /** Random rows of a step. In fast they are numbers that survive the narrowest wire, so that what differs is the engine's. */
    float[][] rows(long seed, int rows, int columns) {
        float[][] values = WeightFile.random(seed, rows, columns);
        for (float[] row : values) {
            for (int i = 0; i < columns && precision() == Precision.FAST; i++) {
                row[i] = BFloat16.round(row[i]);
            }
        }
        return values;
    }

    @Override
    public void close() {
        engine.close();
    }
}
