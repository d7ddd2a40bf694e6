package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What serve refuses; that it serves is tested through its processes in EspalierNodeIT. */
@Timeout(60)
class ServeCommandTest {

    @Test
    void aPortInUseIsNamed() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Command command = Command.run("serve", "--port", String.valueOf(taken.getLocalPort()));

            assertThat(command.exit()).isEqualTo(1);
            assertThat(command.out()).isEmpty();
            assertThat(command.err())
                    .contains("cannot listen on 127.0.0.1:" + taken.getLocalPort())
                    .hasLineCount(1);
        }
    }

    @Test
    void otherAddressesThanLoopbackAreRefused() {
        assertThat(Command.run("serve", "--port", "0", "--host", "0.0.0.0").err())
                .contains("cannot serve on 0.0.0.0")
                .hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource({"--host, ''", "--host, ' '", "--name, ''", "--name, ' '"})
    void anEmptyHostOrNameIsRefused(String option, String value) {
        Command command = Command.run("serve", "--port", "0", option, value);

        assertThat(command.exit()).isEqualTo(2);
        assertThat(command.err()).contains(option + " is empty: leave it out, or give a value");
    }

    @Test
    void anUnknownEngineIsNamed() {
        Command command = Command.run("serve", "--port", "0", "--engine", "warp");

        assertThat(command.exit()).isEqualTo(2);
        assertThat(command.err()).contains("there is no engine 'warp' here: choose one of cpu, reference");
    }

    @Test
    void aFolderOfModelsMustBeThere() {
        Command command = Command.run("serve", "--port", "0", "--models", "nowhere");

        assertThat(command.exit()).isEqualTo(2);
        assertThat(command.err()).contains("--models nowhere is not a folder");
    }
}
