package org.espalier.sampling;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * How the next token is chosen.
 *
 * @param values of all options, each a Long or a Float as its {@link SamplingOption#initial}
 */
public record Sampling(Map<SamplingOption, Number> values) {

    /** Every option at its initial value: always the most likely token. */
    public static final Sampling GREEDY = new Sampling(Map.of());

    /**
     * @param values of some options; the others get their initial ones
     * @throws org.espalier.EspalierException naming an option that is out of its range
     */
    public Sampling {
        Map<SamplingOption, Number> all = new EnumMap<>(SamplingOption.class);
        for (SamplingOption option : SamplingOption.values()) {
            all.put(option, option.checked(values.getOrDefault(option, option.initial())));
        }
        values = Collections.unmodifiableMap(all);
    }

    /** @throws org.espalier.EspalierException naming the option if the value is out of its range */
    public Sampling with(SamplingOption option, Number value) {
        Map<SamplingOption, Number> changed = new EnumMap<>(values);
        changed.put(option, value);
        return new Sampling(changed);
    }

    /** The value of an option that takes whole numbers. */
    public long whole(SamplingOption option) {
        return (Long) values.get(option);
    }

    /** The value of an option that takes any number. */
    public float fraction(SamplingOption option) {
        return (Float) values.get(option);
    }
}
