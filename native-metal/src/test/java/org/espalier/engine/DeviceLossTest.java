package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import org.espalier.engine.reference.ReferenceProvider;
import org.espalier.program.Program;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An engine whose device is gone once: its sessions are gone too, which is said, and what is opened next has a program loaded anew. */
final class DeviceLossTest {

    @TempDir
    Path directory;

    private final FragileEngine engine = new FragileEngine(new ReferenceProvider().start());
    private LoadedProgram program;

    @BeforeEach
    void load() {
        Program tiny = TinyProgram.tokens(new WeightFile(directory));
        program = LoadedProgram.load(engine, tiny, EngineOptions.FLOAT32, Loading.quietly());
        program.open(1, 8, RouterEdits.NONE);
        program.open(2, 8, RouterEdits.NONE);
    }

    @AfterEach
    void close() {
        program.close();
        engine.close();
    }

    private float[][] run(long session, int position, int... tokens) {
        Step step = Step.of(Step.Entry.ofTokens(session, position, tokens, Step.Logits.ALL));
        return program.run(step, Exchange.ALONE, new Cancel()).logits();
    }

    private void lose() {
        engine.breakOnce();
        assertThatExceptionOfType(DeviceLostException.class)
                .isThrownBy(() -> run(1, program.length(1), 5))
                .withMessage("the engine reference lost its device: it fell off the bus; 2 sessions are gone with it:"
                        + " open new ones and send their tokens again");
    }

    @Test
    void itsSessionsAreGoneAndTheNextRunsOnAProgramLoadedAnew() {
        float[][] before = run(1, 0, 3, 1, 4);
        assertThat(engine.loads()).isEqualTo(1);
        lose();
        assertThat(engine.executorsOpen()).isZero();
        program.open(1, 8, RouterEdits.NONE);
        assertThat(engine.loads()).isEqualTo(2);
        assertThat(engine.executorsOpen()).isEqualTo(1);
        assertThat(program.length(1)).isZero();
        assertThat(run(1, 0, 3, 1, 4)).isDeepEqualTo(before);
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> run(2, 0, 3))
                .withMessage("session 2 is not open");
    }

    @Test
    void itMayBeLostAgain() {
        lose();
        program.open(3, 8, RouterEdits.NONE);
        program.open(1, 8, RouterEdits.NONE);
        lose();
        program.open(1, 8, RouterEdits.NONE);
        assertThat(run(1, 0, 3)).hasNumberOfRows(1);
        assertThat(engine.loads()).isEqualTo(3);
    }

    /** Whoever frees or asks neither waits for a load nor hears that there can be none. */
    @Test
    void whatOnlyFreesOrAsksLoadsNothing() {
        lose();
        engine.refuseLoads(9);
        program.close(1);
        program.close(2);
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> program.length(1))
                .withMessage("session 1 is not open");
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> program.checkTruncate(1, 0))
                .withMessage("session 1 is not open");
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> run(1, 0, 3))
                .withMessage("session 1 is not open");
        assertThat(engine.loads()).isEqualTo(1);
    }

    @Test
    void aProgramWhoseDeviceIsGoneCloses() {
        lose();
        program.close();
        program.close();
        assertThat(engine.loads()).isEqualTo(1);
        assertThat(engine.executorsOpen()).isZero();
    }

    @Test
    void whereItCannotBeLoadedAnewEachCallSaysWhyUntilItCan() {
        lose();
        engine.refuseLoads(2);
        for (int i = 0; i < 2; i++) {
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> program.open(1, 8, RouterEdits.NONE))
                    .withMessage("no device");
        }
        program.open(1, 8, RouterEdits.NONE);
        assertThat(run(1, 0, 3)).hasNumberOfRows(1);
    }
}
