package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.espalier.engine.EngineOptions.Preparation;
import org.espalier.engine.reference.ReferenceEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is prepared at load leaves nothing behind, and what cannot be prepared is refused. */
class WarmUpTest {

    @TempDir
    Path directory;

    private static EngineOptions preparing(Preparation preparation) {
        EngineOptions plain = EngineOptions.FLOAT32;
        return new EngineOptions(
                plain.precision(),
                plain.group(),
                plain.kvType(),
                plain.kvBytes(),
                plain.threads(),
                Set.of(preparation));
    }

    @Test
    void aStepBeforeTheFirstLeavesNoSession() {
        List<Long> progress = new ArrayList<>();
        Loading loading = new Loading((done, of) -> progress.add(done), new Cancel());
        try (ReferenceEngine engine = new ReferenceEngine();
                LoadedProgram program = LoadedProgram.load(
                        engine,
                        TinyProgram.tokens(new WeightFile(directory)),
                        preparing(Preparation.WARM_UP),
                        loading)) {
            assertThat(progress).isNotEmpty().isSorted();
            program.open(0, 4, RouterEdits.NONE);
            assertThat(program.length(0)).isZero();
        }
    }

    @Test
    void memoryThatCannotBeLockedIsRefused() {
        try (ReferenceEngine engine = new ReferenceEngine()) {
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> LoadedProgram.load(
                            engine,
                            TinyProgram.tokens(new WeightFile(directory)),
                            preparing(Preparation.LOCK_MEMORY),
                            Loading.quietly()))
                    .withMessage(
                            "the engine reference cannot run program 'main': Java cannot lock memory: load without it");
        }
    }
}
