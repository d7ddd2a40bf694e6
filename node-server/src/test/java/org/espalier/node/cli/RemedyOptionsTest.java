package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.espalier.EspalierException;
import org.espalier.Remedy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RemedyOptionsTest {

    @ParameterizedTest
    @EnumSource
    void everyRemedyIsToldWithoutMagics(Remedy remedy) {
        assertThat(RemedyOptions.sentence(new EspalierException("it failed", remedy)))
                .startsWith("it failed; ")
                .doesNotContain("%", remedy.words());
    }

    @Test
    void namesTheOptionThatHelps() {
        assertThat(RemedyOptions.sentence(
                        new EspalierException("there is no placement file p.json", Remedy.PLAN_PLACEMENT)))
                .isEqualTo("there is no placement file p.json; let a strategy place the model: `--placement pipeline`");
        assertThat(RemedyOptions.sentence(new EspalierException("no model org/m", Remedy.FETCH)))
                .isEqualTo("no model org/m; `espalier-node pull ORG/NAME` fetches it from the hub");
    }

    @Test
    void aFailedCommandSaysIt() {
        Command command = Command.run(
                "run",
                "--model",
                Command.MODELS.resolve("llama-tiny/hf").toString(),
                "--tokens",
                "1",
                "--placement",
                "none.json");
        assertThat(command.err().strip())
                .endsWith("espalier-node: there is no placement file none.json; let a strategy place the model:"
                        + " `--placement pipeline`");
    }
}
