package org.espalier.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AffineGroupsTest {

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6, 8})
    void valuesComeBackWithinOneStep(int bits) {
        AffineGroups groups = new AffineGroups(bits, 32);
        Random random = new Random(bits);
        float[] values = new float[64];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() - 0.3f;
        }
        byte[] packed = new byte[groups.packedBytes(64)];
        float[] scales = new float[2];
        float[] biases = new float[2];
        groups.quantize(values, packed, 0, scales, biases);
        for (int i = 0; i < values.length; i++) {
            int q = 0;
            for (int bit = 0; bit < bits; bit++) {
                int at = i * bits + bit;
                q |= (packed[at / 8] >> at % 8 & 1) << bit;
            }
            // half a step from rounding, up to half more at the far end, since the near one is met exactly
            float step = Math.abs(scales[i / 32]);
            assertThat(scales[i / 32] * q + biases[i / 32]).isCloseTo(values[i], within(1.001f * step));
        }
    }

    @Test
    void zeroStaysZeroAndTheEndOfGreaterMagnitudeIsMet() {
        AffineGroups groups = new AffineGroups(4, 32);
        float[] values = new float[32];
        values[3] = -1.5f;
        values[4] = 0.75f;
        byte[] packed = new byte[groups.packedBytes(32)];
        float[] scales = new float[1];
        float[] biases = new float[1];
        groups.quantize(values, packed, 0, scales, biases);
        // range 2.25 over 15 steps of 0.15; -1.5 is 10 of them below zero
        assertThat(scales[0]).isCloseTo(0.15f, within(1e-6f));
        assertThat(biases[0]).isEqualTo(-1.5f);
        assertThat(packed[0]).isEqualTo((byte) 0xaa); // two zeros, level 10
        assertThat(packed[1]).isEqualTo((byte) 0x0a); // a zero, then level 0
        assertThat(packed[2]).isEqualTo((byte) 0xaf); // level 15, then a zero
    }

    @Test
    void aGroupOfZerosHasAScaleThatIsNotZero() {
        AffineGroups groups = new AffineGroups(4, 32);
        byte[] packed = new byte[16];
        float[] scales = new float[1];
        float[] biases = new float[1];
        groups.quantize(new float[32], packed, 0, scales, biases);
        assertThat(scales[0]).isNotZero();
        assertThat(biases[0]).isZero();
        assertThat(packed).containsOnly(0);
    }
}
