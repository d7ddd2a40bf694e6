package org.espalier.engine.library;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.espalier.EspalierException;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Executor;
import org.espalier.program.Program;

/**
 * A folder in which everything is kept that an engine is told and answers for one program, as {@code src/main/c/check/RECORDING.md} lays it out:
 * a program in C replays it.
 */
public record Recording(Path directory, Weights weights) {

    /** Which files of weights the program names. */
    public enum Weights {
        /** The checkpoint's own. */
        IN_PLACE,
        /** Copies of what the program reads, inside the folder. */
        COPIED
    }

    /** The same engine, whose program and calls are recorded. */
    public Engine of(Engine engine) {
        return new RecordedEngine(engine, this);
    }

    /**
     * Begins it.
     *
     * @param loaded what answers
     */
    Executor begin(Program program, EngineOptions options, Executor loaded) {
        try {
            Files.createDirectories(directory);
            requireEmpty();
            Path real = directory.toRealPath();
            Program named = weights == Weights.COPIED ? CopiedWeights.into(real, program) : program;
            Words words = ProgramWords.of(
                    named,
                    options,
                    path -> real.relativize(path.toAbsolutePath()).toString());
            Files.write(real.resolve("program"), words.toBytes().array());
            return new RecordedExecutor(loaded, program, RecordedCalls.create(real.resolve("calls")));
        } catch (IOException e) {
            throw new EngineException(
                    "cannot record to " + directory + ": " + EspalierException.reason(e, directory), e);
        }
    }

    private void requireEmpty() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            if (files.findAny().isPresent()) {
                throw new EngineException(
                        "cannot record to " + directory + ", which is not empty: a recording is of one program");
            }
        }
    }
}
