package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.espalier.engine.WeightFile.random;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.espalier.program.Add;
import org.espalier.program.Attention;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Both kinds of attention against the sums of their papers, written out in double precision. */
public abstract class AttentionSuite {

    @TempDir
    Path directory;

    private final Engine engine = engine();

    /** The engine under test. */
    abstract Engine engine();

    @AfterEach
    void closeEngine() {
        engine.close();
    }

    /** The first {@code width} columns that {@code program} makes of {@code rows} in one step. */
    private float[][] run(Program program, float[][] rows, int width) {
        try (LoadedProgram loaded = LoadedProgram.load(engine, program, EngineOptions.FLOAT32, Loading.quietly())) {
            loaded.open(1, rows.length, RouterEdits.NONE);
            Step.Entry entry = Step.Entry.ofRows(1, 0, rows.length, Step.Logits.NONE);
            Step step = new Step(List.of(entry), OpBench.pack(rows, program.hidden()), Set.of());
            StepResult result = loaded.run(step, Exchange.ALONE, new Cancel());
            return OpBench.unpack(result.activations(), rows.length, width);
        }
    }

    private static void softmax(double[] scores) {
        double sum = 0;
        for (int s = 0; s < scores.length; s++) {
            scores[s] = Math.exp(scores[s]);
            sum += scores[s];
        }
        for (int s = 0; s < scores.length; s++) {
            scores[s] /= sum;
        }
    }

    @Test
    void queryHeadsShareKeyHeadsInGroups() {
        int heads = 4;
        int kvHeads = 2;
        int width = 3;
        int row = (heads + 2 * kvHeads) * width;
        ProgramBuilder builder = new ProgramBuilder("main", row);
        View x = builder.slot(row);
        View out = builder.slot(row);
        View k = x.columns(heads * width, kvHeads * width);
        View v = x.columns((heads + kvHeads) * width, kvHeads * width);
        int cache = builder.cache(2 * kvHeads * width);
        View mixed = out.columns(0, heads * width);
        builder.op(new Add(x, x, out)); // a program yields what it has written
        builder.op(new Attention(
                x.columns(0, heads * width), k, v, Attention.grouped(heads, kvHeads), 0.3f, null, cache, mixed));
        float[][] rows = random(40, 9, row);
        float[][] actual = run(builder.build(x, out), rows, heads * width);
        for (int t = 0; t < rows.length; t++) {
            for (int h = 0; h < heads; h++) {
                int kvHead = h / 2;
                double[] scores = new double[t + 1];
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < width; i++) {
                        scores[s] += 0.3 * rows[t][h * width + i] * rows[s][k.offset() + kvHead * width + i];
                    }
                }
                softmax(scores);
                for (int i = 0; i < width; i++) {
                    double expected = 0;
                    for (int s = 0; s <= t; s++) {
                        expected += scores[s] * rows[s][v.offset() + kvHead * width + i];
                    }
                    assertThat((double) actual[t][h * width + i]).isCloseTo(expected, offset(1e-5));
                }
            }
        }
    }

    /** One head of width 2: a softmax over the last 3 rows and, in the second program, a score that adds nothing. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aWindowHidesOlderRowsAndASinkTakesItsShare(boolean sink) {
        int window = 3;
        ProgramBuilder builder = new ProgramBuilder("main", 6);
        View x = builder.slot(6);
        View out = builder.slot(6);
        int cache = builder.cache(4, window);
        builder.op(new Add(x, x, out)); // a program yields what it has written
        if (sink) {
            builder.weight("sinks", new WeightFile(directory).floats(new float[][] {{0.7f}}));
        }
        builder.op(new Attention(
                x.columns(0, 2),
                x.columns(2, 2),
                x.columns(4, 2),
                List.of(0),
                0.9f,
                sink ? "sinks" : null,
                cache,
                out.columns(0, 2)));
        float[][] rows = random(42, 9, 6);
        float[][] actual = run(builder.build(x, out), rows, 2);
        for (int t = 0; t < rows.length; t++) {
            int first = Math.max(0, t - window + 1);
            double[] scores = new double[t - first + 2];
            for (int s = first; s <= t; s++) {
                scores[s - first] = 0.9 * (rows[t][0] * rows[s][2] + rows[t][1] * rows[s][3]);
            }
            scores[t - first + 1] = sink ? 0.7f : Double.NEGATIVE_INFINITY;
            softmax(scores);
            for (int i = 0; i < 2; i++) {
                double expected = 0;
                for (int s = first; s <= t; s++) {
                    expected += scores[s - first] * rows[s][4 + i];
                }
                assertThat((double) actual[t][i]).isCloseTo(expected, offset(1e-5));
            }
        }
    }

    @Test
    void latentAttentionEqualsAttentionOverExpandedKeysAndValues() {
        int nope = TinyProgram.NOPE;
        int rope = TinyProgram.ROPE;
        int latentAt = 2 * (nope + rope);
        float[][] rows = random(41, 9, TinyProgram.ROW);
        float[][] actual = run(TinyProgram.latent(new WeightFile(directory)), rows, 2 * TinyProgram.VALUE);
        for (int t = 0; t < rows.length; t++) {
            for (int h = 0; h < 2; h++) {
                double[] scores = new double[t + 1];
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < nope; i++) {
                        double key = 0;
                        for (int r = 0; r < TinyProgram.RANK; r++) {
                            key += (double) TinyProgram.keyUp()[h][r][i] * rows[s][latentAt + r];
                        }
                        scores[s] += 0.7 * rows[t][h * (nope + rope) + i] * key;
                    }
                    for (int i = 0; i < rope; i++) {
                        int keyAt = latentAt + TinyProgram.RANK + i;
                        scores[s] += 0.7 * rows[t][h * (nope + rope) + nope + i] * rows[s][keyAt];
                    }
                }
                softmax(scores);
                for (int i = 0; i < TinyProgram.VALUE; i++) {
                    double expected = 0;
                    for (int s = 0; s <= t; s++) {
                        for (int r = 0; r < TinyProgram.RANK; r++) {
                            double value = (double) TinyProgram.valueUp()[h][i][r] * rows[s][latentAt + r];
                            expected += scores[s] * value;
                        }
                    }
                    assertThat((double) actual[t][h * TinyProgram.VALUE + i]).isCloseTo(expected, offset(1e-5));
                }
            }
        }
    }
}
