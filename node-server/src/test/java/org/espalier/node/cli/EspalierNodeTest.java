package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EspalierNodeTest {

    private static final String[] ALL = {
        "serve", "run", "inspect", "score", "bench", "pull", "quantize", "init", "doctor"
    };

    @Test
    void buildsOnlyTheCommandThatIsNamed() {
        assertThat(EspalierNode.commandLine("bench", "--model", "run").getSubcommands())
                .containsOnlyKeys("bench");
        assertThat(EspalierNode.commandLine().getSubcommands()).containsOnlyKeys(ALL);
        assertThat(EspalierNode.commandLine("--debug", "bench").getSubcommands())
                .containsOnlyKeys(ALL);
    }

    @Test
    void helpListsAllCommandsInOrder() {
        assertThat(Command.run("--help").out()).containsSubsequence(ALL);
    }

    @Test
    void anUnknownCommandIsToldWhichItMeant() {
        assertThat(Command.run("quantise").err()).contains("Did you mean: espalier-node quantize");
    }

    @Test
    void debugMayStandBeforeTheCommandAndBehindIt() {
        String trace = "\tat org.espalier.";
        assertThat(Command.run("--debug", "inspect", "nowhere").err()).contains(trace);
        assertThat(Command.run("inspect", "--debug", "nowhere").err()).contains(trace);
        assertThat(Command.run("inspect", "nowhere").err()).doesNotContain(trace);
    }
}
