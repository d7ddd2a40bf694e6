package org.espalier.sampling;

import java.util.EnumMap;
import java.util.Map;
import org.espalier.EspalierException;
import org.espalier.v1.SamplingValue;

/** {@link Sampling} as the wire carries it. */
public final class SamplingMessage {

    private SamplingMessage() {}

    /** Options at their initial value are left out, so that a node need not know what a request does not use. */
    public static org.espalier.v1.Sampling of(Sampling sampling) {
        org.espalier.v1.Sampling.Builder message = org.espalier.v1.Sampling.newBuilder();
        sampling.values().forEach((option, value) -> {
            if (!value.equals(option.initial())) {
                SamplingValue.Builder carried = SamplingValue.newBuilder();
                message.putValues(
                        option.id(),
                        value instanceof Long
                                ? carried.setWhole(value.longValue()).build()
                                : carried.setFraction(value.floatValue()).build());
            }
        });
        return message.build();
    }

    /** @throws EspalierException naming an option that is unknown here, without a value, or out of its range */
    public static Sampling read(org.espalier.v1.Sampling message) {
        Map<SamplingOption, Number> values = new EnumMap<>(SamplingOption.class);
        message.getValuesMap().forEach((id, value) -> values.put(SamplingOption.of(id), number(id, value)));
        return new Sampling(values);
    }

    private static Number number(String id, SamplingValue value) {
        return switch (value.getKindCase()) {
            case WHOLE -> value.getWhole();
            case FRACTION -> value.getFraction();
            case KIND_NOT_SET -> throw new EspalierException(id + " has no value: leave it out for its initial one");
        };
    }
}
