package org.espalier.node.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.espalier.engine.EngineException;
import org.espalier.sampling.Sampling;
import org.espalier.sampling.SamplingOption;
import org.junit.jupiter.api.Test;

class SamplerTest {

    private static final int[] NONE = {};
    /** Probabilities 0.5, 0.3, 0.15, 0.05, not in order of the ids. */
    private static final float[] LOGITS = logits(0.15, 0.5, 0.05, 0.3);

    @Test
    void greedyTakesTheGreatestLogitWithItsLogProbability() {
        Sampled sampled = Sampler.sample(Sampling.GREEDY, 7, LOGITS, NONE, 0);

        assertThat(sampled.token()).isEqualTo(1);
        assertThat(sampled.logprob()).isCloseTo((float) Math.log(0.5), within(1e-6f));
    }

    @Test
    void ofEqualLogitsTheLowestIdIsTaken() {
        assertThat(Sampler.sample(Sampling.GREEDY, 0, new float[] {1, 3, 3, 3}, NONE, 0)
                        .token())
                .isEqualTo(1);
        Sampling topOne = sampling(1, 1, 1, 1, 5);
        for (int position = 0; position < 50; position++) {
            assertThat(Sampler.sample(topOne, position, new float[] {1, 3, 3, 3}, NONE, 0)
                            .token())
                    .isEqualTo(1);
        }
        assertThat(frequencies(sampling(1, 2, 1, 1, 5), new float[] {-0f, 0f, 0f, -9}, 200))
                .satisfies(f -> assertThat(f[2] + f[3]).isZero());
    }

    @Test
    void drawsAsTheDistributionSays() {
        assertFrequencies(sampling(1, 0, 1, 1, 42), 0.15, 0.5, 0.05, 0.3);
    }

    @Test
    void temperatureSharpensAndFlattens() {
        // p^2 / sum: 0.0225, 0.25, 0.0025, 0.09 over 0.365
        assertFrequencies(sampling(0.5f, 0, 1, 1, 42), 0.0616, 0.6849, 0.0068, 0.2466);
        assertFrequencies(sampling(1e30f, 0, 1, 1, 42), 0.25, 0.25, 0.25, 0.25);
        assertFrequencies(sampling(Float.MIN_VALUE, 0, 1, 1, 42), 0, 1, 0, 0);
    }

    @Test
    void topKKeepsTheLikeliestOnly() {
        assertFrequencies(sampling(1, 2, 1, 1, 42), 0, 0.625, 0, 0.375);
        assertFrequencies(sampling(1, 1000, 1, 1, 42), 0.15, 0.5, 0.05, 0.3);
    }

    @Test
    void topPKeepsTheShortestListThatReachesIt() {
        assertFrequencies(sampling(1, 0, 0.79f, 1, 42), 0, 0.625, 0, 0.375);
        assertFrequencies(sampling(1, 0, 0.81f, 1, 42), 0.1579, 0.5263, 0, 0.3158);
        assertFrequencies(sampling(1, 0, Float.MIN_VALUE, 1, 42), 0, 1, 0, 0);
        // within the two that top-k leaves, the first has 0.625 already
        assertFrequencies(sampling(1, 2, 0.6f, 1, 42), 0, 1, 0, 0);
    }

    @Test
    void minPKeepsWhatIsNotMuchLessLikelyThanTheLikeliest() {
        Sampling plain = sampling(1, 0, 1, 1, 42);
        // the likeliest has 0.5: 0.3 is 0.6 of it, 0.15 is 0.3, 0.05 is 0.1
        assertFrequencies(plain.with(SamplingOption.MIN_P, 0.61), 0, 1, 0, 0);
        assertFrequencies(plain.with(SamplingOption.MIN_P, 0.59), 0, 0.625, 0, 0.375);
        assertFrequencies(plain.with(SamplingOption.MIN_P, 0.29), 0.1579, 0.5263, 0, 0.3158);
        assertFrequencies(plain.with(SamplingOption.MIN_P, 0), 0.15, 0.5, 0.05, 0.3);
        assertFrequencies(plain.with(SamplingOption.MIN_P, 1), 0, 1, 0, 0);
        // after the temperature, which makes 0.3 of the likeliest's probability 0.09
        assertFrequencies(sampling(0.5, 0, 1, 1, 42).with(SamplingOption.MIN_P, 0.29), 0, 0.7353, 0, 0.2647);
        // together with top-p, which leaves two
        assertFrequencies(sampling(1, 0, 0.79, 1, 42).with(SamplingOption.MIN_P, 0.2), 0, 0.625, 0, 0.375);
    }

    @Test
    void repetitionPenaltyWorksOnEachTokenOnceAndOnBothSigns() {
        Sampling penalty = sampling(0, 0, 1, 2, 0);
        float[] positive = {1, 3, 2};

        assertThat(Sampler.sample(penalty, 0, positive, new int[] {1, 1, 1}, 3).token())
                .isEqualTo(2); // 3 / 2 = 1.5 < 2
        assertThat(Sampler.sample(penalty, 0, new float[] {-3, -1, -1.5f}, new int[] {1, 0}, 2)
                        .token())
                .isEqualTo(2); // -1 * 2 = -2 < -1.5
        assertThat(Sampler.sample(penalty, 0, new float[] {1, 3, 1.4f}, new int[] {1, 1}, 2)
                        .token())
                .isEqualTo(1); // once only: 1.5 > 1.4
        assertThat(Sampler.sample(penalty, 0, positive, new int[] {0, 1}, 1).token())
                .isEqualTo(1); // the second token is not counted
        assertThat(positive).containsExactly(1, 3, 2);
    }

    @Test
    void logProbabilityIsTheModelsOwn() {
        Sampling options = sampling(3, 3, 0.99f, 1.5f, 9);
        for (int position = 0; position < 20; position++) {
            Sampled sampled = Sampler.sample(options, position, LOGITS, new int[] {1}, 1);
            double own = Math.log(new double[] {0.15, 0.5, 0.05, 0.3}[sampled.token()]);
            assertThat(sampled.logprob()).isCloseTo((float) own, within(1e-6f));
        }
    }

    @Test
    void dependsOnSeedAndPositionAlone() {
        Sampling options = sampling(1, 0, 1, 1, 1);
        int differentSeed = 0;
        int differentPosition = 0;
        for (int position = 0; position < 100; position++) {
            int token = Sampler.sample(options, position, LOGITS, NONE, 0).token();
            assertThat(Sampler.sample(options, position, LOGITS, NONE, 0).token())
                    .isEqualTo(token);
            Sampling other = sampling(1, 0, 1, 1, 2);
            differentSeed += Sampler.sample(other, position, LOGITS, NONE, 0).token() == token ? 0 : 1;
            differentPosition +=
                    Sampler.sample(options, position + 1, LOGITS, NONE, 0).token() == token ? 0 : 1;
        }
        // 1 - (0.15² + 0.5² + 0.05² + 0.3²) = 0.635 of independent pairs differ
        assertThat(differentSeed).isBetween(45, 80);
        assertThat(differentPosition).isBetween(45, 80);
    }

    @Test
    void whatIsImpossibleIsNeverDrawn() {
        float[] logits = {Float.NEGATIVE_INFINITY, 0, Float.NEGATIVE_INFINITY};
        for (Sampling options :
                new Sampling[] {sampling(1, 0, 1, 1, 3), sampling(1, 3, 0.9f, 1.3f, 3), Sampling.GREEDY}) {
            for (int position = 0; position < 50; position++) {
                assertThat(Sampler.sample(options, position, logits, new int[] {0, 1}, 2))
                        .isEqualTo(new Sampled(1, 0));
            }
        }
    }

    @Test
    void logitsThatAreNoneAreNamed() {
        assertThatThrownBy(() -> Sampler.sample(Sampling.GREEDY, 0, new float[] {1, Float.NaN}, NONE, 0))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("the logit of token 1 is NaN");
        assertThatThrownBy(() -> Sampler.sample(Sampling.GREEDY, 0, new float[] {Float.POSITIVE_INFINITY}, NONE, 0))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("the logit of token 0 is Infinity");
        assertThatThrownBy(() -> Sampler.sample(Sampling.GREEDY, 0, new float[] {Float.NEGATIVE_INFINITY}, NONE, 0))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("none of the 1 logits is finite");
        assertThatThrownBy(() -> Sampler.sample(Sampling.GREEDY, 0, new float[0], NONE, 0))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("none of the 0 logits");
    }

    @Test
    void aTokenOutsideTheVocabularyIsNamed() {
        assertThatThrownBy(() -> Sampler.sample(sampling(0, 0, 1, 1.1f, 0), 2, new float[] {1, 2}, new int[] {0, 2}, 2))
                .isInstanceOf(EngineException.class)
                .hasMessage("token 2 at position 1 is not in the vocabulary of 2 tokens");
    }

    private static Sampling sampling(double temperature, int topK, double topP, double penalty, long seed) {
        return Sampling.GREEDY
                .with(SamplingOption.TEMPERATURE, temperature)
                .with(SamplingOption.TOP_K, topK)
                .with(SamplingOption.TOP_P, topP)
                .with(SamplingOption.REPETITION_PENALTY, penalty)
                .with(SamplingOption.SEED, seed);
    }

    /** Of 20,000 draws; four standard deviations of a share of one half are 0.0142. */
    private static void assertFrequencies(Sampling options, double... expected) {
        double[] found = frequencies(options, LOGITS, 20_000);
        for (int token = 0; token < expected.length; token++) {
            assertThat(found[token]).as("token %d", token).isCloseTo(expected[token], within(0.0142));
        }
    }

    private static double[] frequencies(Sampling options, float[] logits, int draws) {
        double[] share = new double[logits.length];
        for (int position = 0; position < draws; position++) {
            share[Sampler.sample(options, position, logits, NONE, 0).token()] += 1.0 / draws;
        }
        return share;
    }

    private static float[] logits(double... probabilities) {
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.log(probabilities[i]) + 3;
        }
        return logits;
    }
}
