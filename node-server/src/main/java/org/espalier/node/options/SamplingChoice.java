package org.espalier.node.options;

import java.util.EnumMap;
import java.util.Map;
import org.espalier.sampling.Sampling;
import org.espalier.sampling.SamplingOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/** A mixin with one option for each {@link SamplingOption}. */
@Command
public final class SamplingChoice {

    private static final Map<SamplingOption, String> SHORT_NAMES = Map.of(SamplingOption.TEMPERATURE, "-t");

    private final Map<SamplingOption, Number> values = new EnumMap<>(SamplingOption.class);

    /** @throws org.espalier.EspalierException naming an option that is out of its range */
    public Sampling sampling() {
        return new Sampling(values);
    }

    @Spec
    private void addOptions(CommandSpec spec) {
        for (SamplingOption option : SamplingOption.values()) {
            String name = "--" + option.id();
            spec.addOption(OptionSpec.builder(
                            SHORT_NAMES.containsKey(option)
                                    ? new String[] {SHORT_NAMES.get(option), name}
                                    : new String[] {name})
                    .paramLabel(option.label())
                    .type(option.initial().getClass())
                    .defaultValue(option.initial().toString())
                    .description(option.help())
                    .setter(keep(option))
                    .build());
        }
    }

    private ISetter keep(SamplingOption option) {
        return new ISetter() {
            @Override
            @SuppressWarnings("unchecked")
            public <T> T set(T value) {
                return (T) values.put(option, (Number) value);
            }
        };
    }
}
