package org.espalier.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.espalier.EspalierException;
import org.espalier.v1.SamplingValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SamplingTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "temperature | NaN | temperature is NaN: expected 0 or more",
                "temperature | -1 | temperature is -1.0: expected 0 or more",
                "temperature | Infinity | temperature is Infinity: expected 0 or more",
                "temperature | 1e300 | temperature is Infinity: expected 0 or more",
                "top-k | -1 | top-k is -1: expected a whole number, 0 (all) or more",
                "top-k | 2.5 | top-k is 2.5: expected a whole number, 0 (all) or more",
                "top-k | NaN | top-k is NaN: expected a whole number, 0 (all) or more",
                "top-p | 0 | top-p is 0.0: expected above 0 and at most 1",
                "top-p | 1e-60 | top-p is 0.0: expected above 0 and at most 1",
                "top-p | 1.5 | top-p is 1.5: expected above 0 and at most 1",
                "top-p | NaN | top-p is NaN: expected above 0 and at most 1",
                "repetition-penalty | 0 | repetition-penalty is 0.0: expected above 0",
                "repetition-penalty | NaN | repetition-penalty is NaN: expected above 0",
                "repetition-penalty | Infinity | repetition-penalty is Infinity: expected above 0",
                "seed | 1e30 | seed is 1.0E30: expected a whole number of 64 bits",
            })
    void aValueOutOfRangeIsRefusedByName(String id, double value, String message) {
        assertThatThrownBy(() -> Sampling.GREEDY.with(SamplingOption.of(id), value))
                .isInstanceOf(EspalierException.class)
                .hasMessage(message);
    }

    @ParameterizedTest
    @EnumSource(SamplingOption.class)
    void anOptionIsKeptAsItsInitialValueIs(SamplingOption option) {
        assertThat(option.id()).matches("[a-z]+(-[a-z]+)*");
        assertThat(SamplingOption.of(option.id())).isEqualTo(option);
        assertThat(option.checked(option.initial())).isEqualTo(option.initial());
        assertThat(Sampling.GREEDY.with(option, 1).values().get(option))
                .isEqualTo(option.initial() instanceof Long ? (Number) 1L : (Number) 1f);
    }

    @ParameterizedTest
    @EnumSource(SamplingOption.class)
    void theWireCarriesEachOption(SamplingOption option) {
        Number other = option.initial().doubleValue() == 1 ? 0.3 : 1;
        Sampling sampling = Sampling.GREEDY.with(option, other);

        assertThat(SamplingMessage.of(sampling).getValuesMap()).containsOnlyKeys(option.id());
        assertThat(SamplingMessage.read(SamplingMessage.of(sampling))).isEqualTo(sampling);
    }

    @Test
    void everyBitOfASeedComesThrough() {
        Sampling sampling = Sampling.GREEDY.with(SamplingOption.SEED, Long.MIN_VALUE + 1);
        assertThat(SamplingMessage.read(SamplingMessage.of(sampling)).whole(SamplingOption.SEED))
                .isEqualTo(Long.MIN_VALUE + 1);
    }

    @Test
    void whatIsNotSetIsGreedy() {
        assertThat(SamplingMessage.of(Sampling.GREEDY).getValuesMap()).isEmpty();
        assertThat(SamplingMessage.read(org.espalier.v1.Sampling.getDefaultInstance()))
                .isEqualTo(Sampling.GREEDY);
        assertThat(new Sampling(Map.of())).isEqualTo(Sampling.GREEDY);
    }

    @Test
    void hostileMessagesAreRefusedByName() {
        assertRefused(
                "no-such",
                SamplingValue.newBuilder().setWhole(1),
                "there is no sampling option 'no-such': expected one of temperature, top-k, top-p");
        assertRefused("top-k", SamplingValue.newBuilder(), "top-k has no value");
        assertRefused(
                "top-k", SamplingValue.newBuilder().setFraction(1.5f), "top-k is 1.5: expected a whole number, 0");
        assertRefused("top-p", SamplingValue.newBuilder().setFraction(Float.NaN), "top-p is NaN: expected above 0");
        assertRefused("temperature", SamplingValue.newBuilder().setWhole(-1), "temperature is -1.0: expected 0");
    }

    private static void assertRefused(String id, SamplingValue.Builder value, String message) {
        var hostile = org.espalier.v1.Sampling.newBuilder()
                .putValues(id, value.build())
                .build();
        assertThatThrownBy(() -> SamplingMessage.read(hostile))
                .isInstanceOf(EspalierException.class)
                .hasMessageStartingWith(message);
    }
}
