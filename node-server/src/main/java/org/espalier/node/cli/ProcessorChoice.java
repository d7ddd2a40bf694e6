package org.espalier.node.cli;

import java.util.Set;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineOptions.Preparation;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What an engine may take of the machine. */
final class ProcessorChoice {

    /** More than any machine has processors, and each takes memory. */
    private static final int MOST_THREADS = 1024;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Threads of an engine on the processor; 0: one a physical core.")
    private int threads;

    @Option(names = "--lock-memory", description = "Keep weights in memory, whatever else needs it.")
    private boolean lockMemory;

    /** Options of every load, in float32. */
    EngineOptions loads() {
        if (threads < 0 || threads > MOST_THREADS) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--threads is " + threads + ": choose 0 to " + MOST_THREADS + ", best one a physical core");
        }
        EngineOptions plain = EngineOptions.FLOAT32;
        Set<Preparation> preparations = lockMemory ? Set.of(Preparation.LOCK_MEMORY) : Set.of();
        return new EngineOptions(
                plain.precision(), plain.group(), plain.kvType(), plain.kvBytes(), threads, preparations);
    }
}
