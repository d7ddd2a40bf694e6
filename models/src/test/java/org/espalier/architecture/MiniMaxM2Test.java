package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.engine.Cancel;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.reference.ReferenceEngine;
import org.espalier.slice.LayerRange;
import org.espalier.weights.WeightReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model from a seed against the formulas of transformers' modeling_minimax_m2 in double arithmetic. */
class MiniMaxM2Test {

    private static final int HEADS = 6;
    private static final int KV_HEADS = 3;
    private static final int HEAD = 64;
    private static final int ROTATED = 32;
    private static final double THETA = 5_000_000;
    private static final double EPS = 1e-5;
    private static final int EXPERTS_A_TOKEN = 2;

    private static final int[] TOKENS = {3, 14, 15, 92, 65, 35, 89};

    private Checkpoint checkpoint;

    @Test
    void computesWhatTheFormulasSay(@TempDir Path directory) {
        Architecture architecture = SeededModel.FP8_NORMED.architecture();
        checkpoint = SeededModel.FP8_NORMED.checkpoint(directory);
        float[][] found;
        try (ReferenceEngine engine = new ReferenceEngine();
                LoadedProgram program = LoadedProgram.load(
                        engine,
                        architecture.program(checkpoint, LayerRange.whole(architecture.layers())),
                        EngineOptions.FLOAT32,
                        Loading.quietly())) {
            program.open(1, TOKENS.length, RouterEdits.NONE);
            Step step = Step.of(Step.Entry.ofTokens(1, 0, TOKENS, Step.Logits.ALL));
            found = program.run(step, Exchange.ALONE, new Cancel()).logits();
        }
        double[][] expected = logits(architecture.layers());
        for (int t = 0; t < TOKENS.length; t++) {
            for (int i = 0; i < expected[t].length; i++) {
                assertThat((double) found[t][i]).as("token %d, logit %d", t, i).isCloseTo(expected[t][i], within(1e-4));
            }
        }
    }

    private double[][] logits(int layers) {
        float[][] embedding = matrix("model.embed_tokens.weight", 0);
        double[][] x = new double[TOKENS.length][];
        for (int t = 0; t < TOKENS.length; t++) {
            float[] row = embedding[TOKENS[t]];
            x[t] = IntStream.range(0, row.length).mapToDouble(i -> row[i]).toArray();
        }
        for (int layer = 0; layer < layers; layer++) {
            String name = "model.layers." + layer;
            add(x, attention(name + ".self_attn.", normed(x, name + ".input_layernorm")));
            add(x, mixture(name + ".block_sparse_moe.", normed(x, name + ".post_attention_layernorm")));
        }
        return times(normed(x, "model.norm"), matrix("lm_head.weight", 0));
    }

    private double[][] attention(String name, double[][] x) {
        double[][] q = normed(times(x, matrix(name + "q_proj.weight", 0)), name + "q_norm"); // over all heads at once
        double[][] k = normed(times(x, matrix(name + "k_proj.weight", 0)), name + "k_norm");
        double[][] v = times(x, matrix(name + "v_proj.weight", 0));
        rotate(q, HEADS);
        rotate(k, KV_HEADS);
        double[][] mixed = new double[x.length][HEADS * HEAD];
        for (int t = 0; t < x.length; t++) {
            for (int head = 0; head < HEADS; head++) {
                int kv = head / (HEADS / KV_HEADS) * HEAD;
                double[] share = new double[t + 1];
                double sum = 0;
                for (int s = 0; s <= t; s++) {
                    double score = 0;
                    for (int i = 0; i < HEAD; i++) {
                        score += q[t][head * HEAD + i] * k[s][kv + i];
                    }
                    share[s] = Math.exp(score / Math.sqrt(HEAD));
                    sum += share[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < HEAD; i++) {
                        mixed[t][head * HEAD + i] += share[s] / sum * v[s][kv + i];
                    }
                }
            }
        }
        return times(mixed, matrix(name + "o_proj.weight", 0));
    }

    /** Column i of the first half of what rotates, with column i of the second. */
    private static void rotate(double[][] x, int heads) {
        for (int t = 0; t < x.length; t++) {
            for (int head = 0; head < heads; head++) {
                for (int i = 0; i < ROTATED / 2; i++) {
                    double angle = t * Math.pow(THETA, -2.0 * i / ROTATED);
                    int first = head * HEAD + i;
                    int second = first + ROTATED / 2;
                    double a = x[t][first];
                    double b = x[t][second];
                    x[t][first] = a * Math.cos(angle) - b * Math.sin(angle);
                    x[t][second] = b * Math.cos(angle) + a * Math.sin(angle);
                }
            }
        }
    }

    private double[][] mixture(String name, double[][] x) {
        double[][] scores = times(x, matrix(name + "gate.weight", 0));
        float[] correction = matrix(name + "e_score_correction_bias", 0)[0];
        double[][] out = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] sigmoid = DoubleStream.of(scores[t])
                    .map(score -> 1 / (1 + Math.exp(-score)))
                    .toArray();
            List<Integer> chosen = IntStream.range(0, sigmoid.length)
                    .boxed()
                    .sorted(Comparator.comparingDouble(e -> -(sigmoid[e] + correction[e])))
                    .limit(EXPERTS_A_TOKEN)
                    .toList();
            double all = chosen.stream().mapToDouble(e -> sigmoid[e]).sum();
            out[t] = new double[x[t].length];
            for (int e : chosen) {
                double[] part = expert(name + "experts.*.", e, x[t]);
                for (int i = 0; i < part.length; i++) {
                    out[t][i] += sigmoid[e] / all * part[i];
                }
            }
        }
        return out;
    }

    private double[] expert(String name, int expert, double[] x) {
        double[][] row = {x};
        double[] gate = times(row, matrix(name + "gate_proj.weight", expert))[0];
        double[] up = times(row, matrix(name + "up_proj.weight", expert))[0];
        for (int i = 0; i < gate.length; i++) {
            gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
        }
        return times(new double[][] {gate}, matrix(name + "down_proj.weight", expert))[0];
    }

    private double[][] normed(double[][] x, String module) {
        float[] weight = matrix(module + ".weight", 0)[0];
        double[][] out = new double[x.length][weight.length];
        for (int t = 0; t < x.length; t++) {
            double squares = 0;
            for (double value : x[t]) {
                squares += value * value;
            }
            double scale = 1 / Math.sqrt(squares / weight.length + EPS);
            for (int i = 0; i < weight.length; i++) {
                out[t][i] = x[t][i] * scale * weight[i];
            }
        }
        return out;
    }

    private static double[][] times(double[][] x, float[][] weight) {
        double[][] out = new double[x.length][weight.length];
        for (int t = 0; t < x.length; t++) {
            for (int row = 0; row < weight.length; row++) {
                for (int i = 0; i < weight[row].length; i++) {
                    out[t][row] += x[t][i] * weight[row][i];
                }
            }
        }
        return out;
    }

    private static void add(double[][] x, double[][] more) {
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < x[t].length; i++) {
                x[t][i] += more[t][i];
            }
        }
    }

    private float[][] matrix(String name, int index) {
        try (WeightReader reader = WeightReader.streaming()) {
            return reader.open(name, checkpoint.weight(name)).decode(index);
        }
    }
}
