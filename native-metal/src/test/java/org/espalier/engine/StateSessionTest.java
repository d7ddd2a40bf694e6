package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.espalier.engine.WeightFile.random;

import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.espalier.engine.reference.ReferenceProvider;
import org.espalier.program.Embed;
import org.espalier.program.Logits;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sessions of a program with a state, which can be truncated to nothing or to what they are. */
final class StateSessionTest {

    @TempDir
    Path directory;

    private final Engine engine = new ReferenceProvider().start();
    private LoadedProgram program;

    @BeforeEach
    void load() {
        WeightFile file = new WeightFile(directory);
        ProgramBuilder builder = new ProgramBuilder("main", 4);
        View x = builder.slot(4);
        builder.state(6);
        builder.weight("e", file.floats(random(90, 5, 4)));
        Program states = builder.op(new Embed("e", x))
                .op(new Logits(x, "e", builder.logits(5)))
                .build(x, x);
        program = LoadedProgram.load(engine, states, EngineOptions.FLOAT32, Loading.quietly());
        program.open(1, 10, RouterEdits.NONE);
        run(1, 0, 4, 2, 0);
    }

    @AfterEach
    void close() {
        program.close();
        engine.close();
    }

    private void run(long session, int position, int... tokens) {
        Step step = Step.of(Step.Entry.ofTokens(session, position, tokens, Step.Logits.NONE));
        program.run(step, Exchange.ALONE, new Cancel());
    }

    private static void assertRefused(ThrowingCallable call, int length) {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(call)
                .withMessage("session 1 has 3 rows and cannot be truncated to " + length
                        + ": a state can only be truncated to nothing; open a new session and send its tokens again");
    }

    @Test
    void itIsCutToNothingOrToWhatItIs() {
        assertRefused(() -> program.truncate(1, 2), 2);
        assertRefused(() -> program.truncate(1, 1), 1);
        program.truncate(1, 3);
        assertThat(program.length(1)).isEqualTo(3);
        program.truncate(1, 0);
        assertThat(program.length(1)).isZero();
        run(1, 0, 1, 1);
    }

    @Test
    void aForkHasAllOfItOrNothing() {
        assertRefused(() -> program.fork(1, 2, 2), 2);
        program.fork(1, 2, 3);
        program.fork(1, 3, 0);
        assertThat(program.length(2)).isEqualTo(3);
        assertThat(program.length(3)).isZero();
        run(2, 3, 1);
        run(3, 0, 1);
        assertThat(program.length(1)).isEqualTo(3);
    }
}
