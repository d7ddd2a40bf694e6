package org.espalier.kernel.magic;

import static org.assertj.core.api.Assertions.assertThat;

import org.espalier.sampling.SamplingOption;
import org.junit.jupiter.api.Test;

class GenerateMagicTest {

    @Test
    void offersEverySamplingOption() {
        String usage = new GenerateMagic(null).usage();
        for (SamplingOption option : SamplingOption.values()) {
            assertThat(usage).contains("--" + option.id());
        }
        assertThat(usage).contains("-t, --temperature");
    }
}
