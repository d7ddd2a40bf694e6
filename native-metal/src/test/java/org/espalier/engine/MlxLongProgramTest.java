package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import org.espalier.engine.reference.ReferenceProvider;
import org.espalier.program.Add;
import org.espalier.program.Attention;
import org.espalier.program.Embed;
import org.espalier.program.Linear;
import org.espalier.program.Logits;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.RmsNorm;
import org.espalier.program.View;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** More ops than the mlx engine builds before it begins to evaluate: rows and sessions are what they are in one evaluation. */
final class MlxLongProgramTest {

    private static final int LAYERS = 30;
    private static final int WIDTH = 8;
    private static final int VOCABULARY = 11;

    @TempDir
    Path directory;

    private static Program program(WeightFile file) {
        ProgramBuilder builder = new ProgramBuilder("long", WIDTH);
        View x = builder.slot(WIDTH);
        View normed = builder.slot(WIDTH);
        View qkv = builder.slot(3 * WIDTH);
        View mixed = builder.slot(WIDTH);
        builder.weight("words", file.floats(WeightFile.random(1, VOCABULARY, WIDTH)));
        builder.op(new Embed("words", x));
        for (int layer = 0; layer < LAYERS; layer++) {
            String name = builder.weight("qkv" + layer, file.floats(WeightFile.random(layer + 2, 3 * WIDTH, WIDTH)));
            builder.op(new RmsNorm(x, RmsNorm.Gain.ONE, 1e-6f, 1, normed))
                    .op(new Linear(normed, Projection.of(name), qkv))
                    .op(new Attention(
                            qkv.columns(0, WIDTH),
                            qkv.columns(WIDTH, WIDTH),
                            qkv.columns(2 * WIDTH, WIDTH),
                            Attention.grouped(2, 2),
                            0.5f,
                            null,
                            builder.cache(2 * WIDTH),
                            mixed))
                    .op(new Add(x, mixed, x));
        }
        return builder.op(new Logits(x, "words", builder.logits(VOCABULARY))).build(x, x);
    }

    private static float[][] logits(LoadedProgram program, int session, int... tokens) {
        Step step = Step.of(Step.Entry.ofTokens(session, program.length(session), tokens, Step.Logits.ALL));
        return program.run(step, Exchange.ALONE, new Cancel()).logits();
    }

    @Test
    void aStepIsThatOfTheReferenceEngine() {
        Program longOne = program(new WeightFile(directory));
        try (EngineUnderTest mlx = new EngineUnderTest(MlxSuite.requireMlx(), Precision.FLOAT32);
                EngineUnderTest reference = new EngineUnderTest(new ReferenceProvider(), Precision.FLOAT32);
                LoadedProgram found = mlx.load(longOne);
                LoadedProgram expected = reference.load(longOne)) {
            found.open(1, 300, RouterEdits.NONE);
            expected.open(1, 300, RouterEdits.NONE);
            requireEqual(logits(found, 1, 3, 1, 4), logits(expected, 1, 3, 1, 4));
            requireEqual(logits(found, 1, 1), logits(expected, 1, 1));
            found.fork(1, 2, 2);
            expected.fork(1, 2, 2);
            requireEqual(logits(found, 2, 5, 9), logits(expected, 2, 5, 9));
            requireEqual(logits(found, 1, 2), logits(expected, 1, 2));
        }
    }

    private static void requireEqual(float[][] found, float[][] expected) {
        assertThat(found).hasDimensions(expected.length, VOCABULARY);
        for (int row = 0; row < expected.length; row++) {
            for (int i = 0; i < VOCABULARY; i++) {
                assertThat(found[row][i]).isCloseTo(expected[row][i], within(1e-4f));
            }
        }
    }
}
