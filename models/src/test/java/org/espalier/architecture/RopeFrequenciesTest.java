package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.assertj.core.data.Offset;
import org.espalier.config.Positions;
import org.espalier.config.RopeScaling;
import org.espalier.program.Rope;
import org.junit.jupiter.api.Test;

class RopeFrequenciesTest {

    private static final Offset<Float> CLOSE = within(1e-6f);

    @Test
    void unscaledPairsTurnByPowersOfTheta() {
        Rope rope = rope(8, 10_000, new RopeScaling.Default());

        assertThat(rope.frequencies()).containsExactly(new float[] {1, 0.1f, 0.01f, 0.001f}, CLOSE);
        assertThat(rope.attentionFactor()).isEqualTo(1);
        assertThat(rope.dimensions()).isEqualTo(8);
    }

    @Test
    void llama3KeepsFastPairsStretchesSlowOnesAndMixesBetween() {
        // Rotations within 512 positions: 81.5, 8.15, 0.815, 0.0815; kept from 4, stretched by 8 up to 1.
        Rope rope = rope(8, 10_000, new RopeScaling.Llama3(8, 1, 4, 512));

        assertThat(rope.frequencies()).containsExactly(new float[] {1, 0.1f, 0.01f / 8, 0.001f / 8}, CLOSE);

        // Within 128 positions the second pair makes 128 * 0.1 / 2 pi = 2.03718 rotations: kept = 1.03718 / 3 =
        // 0.345728.
        float mixed = rope(8, 10_000, new RopeScaling.Llama3(8, 1, 4, 128)).frequencies()[1];
        assertThat(mixed).isCloseTo(0.345728f * 0.1f + 0.654272f * 0.1f / 8, CLOSE);
    }

    @Test
    void yarnMixesByPairAndWarmsTheSoftmax() {
        // Pair that rotates 32 times in 4096: 8 ln(4096 / (64 pi)) / (2 ln 10000) = 1.3089, so low = 1; once: 2.8139,
        // so
        // high = 3.
        Rope rope = rope(8, 10_000, new RopeScaling.Yarn(40, 4096, 32, 1, 0, 0, true));

        assertThat(rope.frequencies()).containsExactly(new float[] {1, 0.1f, 0.005f + 0.005f / 40, 0.001f / 40}, CLOSE);
        assertThat(rope.attentionFactor()).isCloseTo(1.368888f, CLOSE); // 0.1 ln 40 + 1
    }

    @Test
    void yarnMayKeepItsBoundsUnrounded() {
        Rope rope = rope(8, 10_000, new RopeScaling.Yarn(40, 4096, 32, 1, 0, 0, false));

        double stretched = (2 - 1.308948) / (2.813948 - 1.308948);
        assertThat(rope.frequencies()[2])
                .isCloseTo((float) (0.01 * (1 - stretched) + 0.01 * stretched / 40), within(1e-5f));
    }

    @Test
    void deepseekMovesTheMscaleIntoTheSoftmaxScale() {
        RopeScaling scaling = new RopeScaling.Yarn(40, 4096, 32, 1, 1, 1, true);

        assertThat(rope(8, 10_000, scaling).attentionFactor()).isEqualTo(1);
        assertThat(RopeFrequencies.mscaleSquared(scaling)).isCloseTo(1.368888 * 1.368888, within(1e-5));
        assertThat(RopeFrequencies.mscaleSquared(new RopeScaling.Default())).isEqualTo(1);

        RopeScaling uneven = new RopeScaling.Yarn(40, 4096, 32, 1, 0.5f, 1, true);
        assertThat(rope(8, 10_000, uneven).attentionFactor()).isCloseTo(1.184444f / 1.368888f, CLOSE);
    }

    @Test
    void eachFrequencyMayHaveItsOwnDivisor() {
        Rope rope = rope(4, 100, new RopeScaling.Divided(List.of(1f, 4f)));

        assertThat(rope.frequencies()).containsExactly(new float[] {1, 0.025f}, CLOSE);
    }

    private static Rope rope(int dimensions, float theta, RopeScaling scaling) {
        return RopeFrequencies.rope(Rope.Pairing.HALF, new Positions(dimensions, theta, scaling));
    }
}
