package org.espalier.node.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.espalier.EspalierException;
import org.espalier.sampling.Sampling;
import org.espalier.sampling.SamplingOption;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

class SamplingChoiceTest {

    @Command(name = "some", sortOptions = false)
    private static final class Some {
        @Mixin
        private SamplingChoice choice;
    }

    @Test
    void everyDeclaredOptionIsRead() {
        Sampling expected = Sampling.GREEDY;
        List<String> arguments = new ArrayList<>();
        for (SamplingOption option : SamplingOption.values()) {
            Number value = option.initial() instanceof Long ? (Number) 7L : (Number) 0.25f;
            expected = expected.with(option, value);
            arguments.add("--" + option.id());
            arguments.add(value.toString());
        }
        assertThat(parse(arguments.toArray(String[]::new))).isEqualTo(expected);
        assertThat(parse()).isEqualTo(Sampling.GREEDY);
        assertThat(parse("-t", "0.5")).isEqualTo(Sampling.GREEDY.with(SamplingOption.TEMPERATURE, 0.5));
    }

    @Test
    void theUsageTextHasThemAll() {
        String usage = new CommandLine(new Some()).getUsageMessage(CommandLine.Help.Ansi.OFF);
        for (SamplingOption option : SamplingOption.values()) {
            assertThat(usage).contains("--" + option.id() + "=" + option.label());
            assertThat(usage.replaceAll("\\s+", " ")).contains(option.help());
        }
    }

    @Test
    void whatIsOutOfRangeOrNoNumberIsRefusedByName() {
        assertThatThrownBy(() -> parse("--top-p", "2"))
                .isInstanceOf(EspalierException.class)
                .hasMessage("top-p is 2.0: expected above 0 and at most 1");
        assertThatThrownBy(() -> parse("--top-k", "x")).hasMessageContaining("'--top-k'");
    }

    private static Sampling parse(String... arguments) {
        Some some = new Some();
        new CommandLine(some).parseArgs(arguments);
        return some.choice.sampling();
    }
}
