package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.espalier.engine.EngineOptions.KvType;
import org.espalier.engine.library.LibraryProvider;
import org.espalier.program.Add;
import org.espalier.program.Attention;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** KV caches of halves: where keys and values are such numbers, attention has the bits that it has over floats. */
class CpuKvTest {

    private static final int HEADS = 10;
    private static final int WIDTH = 20;
    private static final int ROWS = 200;

    @TempDir
    Path directory;

    /** One query head a KV head, and ten. */
    @ParameterizedTest
    @ValueSource(ints = {1, 10})
    void halvesAreReadAsTheFloatsThatTheyAre(int group) {
        int kvWidth = HEADS / group * WIDTH;
        int row = HEADS * WIDTH + 2 * kvWidth;
        ProgramBuilder builder = new ProgramBuilder("main", row);
        View x = builder.slot(row);
        View out = builder.slot(row);
        View k = x.columns(HEADS * WIDTH, kvWidth);
        View v = x.columns(HEADS * WIDTH + kvWidth, kvWidth);
        View mixed = out.columns(0, HEADS * WIDTH);
        builder.op(new Add(x, x, out)); // a program yields what it has written
        builder.op(new Attention(
                x.columns(0, HEADS * WIDTH),
                k,
                v,
                Attention.grouped(HEADS, HEADS / group),
                0.5f,
                null,
                builder.cache(2 * kvWidth),
                mixed));
        Program program = builder.build(x, out);
        float[][] rows = eighths(row);
        assertThat(run(program, rows, KvType.F16)).isDeepEqualTo(run(program, rows, KvType.F32));
    }

    /** Latents are keys and values at once. */
    @Test
    void latentsAreHalvesToo() {
        Program program = TinyProgram.latent(new WeightFile(directory));
        float[][] rows = eighths(TinyProgram.ROW);
        assertThat(run(program, rows, KvType.F16)).isDeepEqualTo(run(program, rows, KvType.F32));
    }

    /** Also by a program that does not come through {@link LoadedProgram}, which asks the provider first. */
    @Test
    void theLibraryRefusesWhatItCannotCompute() {
        Program program = TinyProgram.latent(new WeightFile(directory));
        EngineOptions options = EngineOptions.FLOAT32.withKv(KvType.Q8, 0);
        try (Engine engine = EngineUnderTest.requireReady(LibraryProvider.cpu()).start()) {
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> engine.load(program, options, Loading.quietly()))
                    .withMessageContaining("KV caches are kept as f32 or f16, not as q8");
        }
    }

    private static float[][] eighths(int columns) {
        Random random = new Random(90);
        float[][] rows = new float[ROWS][columns];
        for (float[] row : rows) {
            for (int i = 0; i < columns; i++) {
                row[i] = (random.nextInt(17) - 8) / 8f;
            }
        }
        return rows;
    }

    /** All rows but the last in one step. */
    private static float[][] run(Program program, float[][] rows, KvType type) {
        EngineOptions options = EngineOptions.FLOAT32.withKv(type, 0);
        float[][] all = new float[ROWS][];
        try (Engine engine = EngineUnderTest.requireReady(LibraryProvider.cpu()).start();
                LoadedProgram loaded = LoadedProgram.load(engine, program, options, Loading.quietly())) {
            Wire wire = new Wire(loaded.activationBytes());
            loaded.open(1, ROWS, RouterEdits.NONE);
            for (int from = 0; from < ROWS; from += ROWS - 1) {
                int to = from == 0 ? ROWS - 1 : ROWS;
                Step.Entry entry = Step.Entry.ofRows(1, from, to - from, Step.Logits.NONE);
                float[][] some = Arrays.copyOfRange(rows, from, to);
                Step step = new Step(List.of(entry), wire.pack(some, program.hidden()), Set.of());
                StepResult result = loaded.run(step, Exchange.ALONE, new Cancel());
                System.arraycopy(
                        wire.unpack(result.activations(), to - from, program.hidden()), 0, all, from, to - from);
            }
        }
        return all;
    }
}
