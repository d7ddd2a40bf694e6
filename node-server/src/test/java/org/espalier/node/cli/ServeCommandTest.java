package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import org.espalier.node.service.Limit;
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

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--listen 0.0.0.0:0 | --listen serves over TLS and needs --certificates FOLDER",
                "--listen 0.0.0.0:0 --certificates nowhere | there is no folder nowhere with certificates",
                "--listen 0.0.0.0:0 --port 1 | --port is in plain text and --listen over TLS",
                "--listen 0.0.0.0:0 --secret-file x | --secret-file is for plain text",
                "--certificates nowhere | --certificates is for TLS: add --listen",
                "--port 0 --advertise mini-1:50515 | --advertise is for TLS: add --listen",
                "--port 0 --secret-file nowhere | there is no nowhere, which has the secret",
                "--port 70000 | port 70000 is not a valid port",
                "--host 0.0.0.0 | Unknown option",
            })
    void whatIsNotSafeOrDoesNotFitIsRefused(String options, String says) {
        List<String> arguments = new ArrayList<>(List.of("serve"));
        arguments.addAll(List.of(options.split(" ")));
        Command command = Command.run(arguments.toArray(String[]::new));

        assertThat(command.exit()).isNotZero();
        assertThat(command.out()).isEmpty();
        assertThat(command.err()).contains(says);
    }

    @ParameterizedTest
    @CsvSource({"''", "' '"})
    void anEmptyNameIsRefused(String value) {
        Command command = Command.run("serve", "--port", "0", "--name", value);

        assertThat(command.exit()).isEqualTo(2);
        assertThat(command.err()).contains("--name is empty: leave it out, or give a value");
    }

    @Test
    void aLongNameIsRefused() {
        Command command = Command.run("serve", "--port", "0", "--name", "x".repeat(300));

        assertThat(command.exit()).isEqualTo(1);
        assertThat(command.err()).contains("this node's name has 300 characters, 256 are the most");
    }

    @Test
    void anUnknownEngineIsNamed() {
        Command command = Command.run("serve", "--port", "0", "--engine", "warp");

        assertThat(command.exit()).isEqualTo(2);
        assertThat(command.err()).contains("there is no engine 'warp' here: choose one of cpu, mlx, reference");
    }

    @Test
    void aFolderOfModelsMustBeThere() {
        Command command = Command.run("serve", "--port", "0", "--models", "nowhere");

        assertThat(command.exit()).isEqualTo(2);
        assertThat(command.err()).contains("--models nowhere is not a folder");
    }

    @Test
    void listsItsLimitsAndRefusesWhatIsNone() {
        String help = Command.run("serve", "--help").out();
        for (Limit limit : Limit.values()) {
            assertThat(help).containsPattern(limit + " +" + limit.usual() + "  ");
        }
        assertThat(Command.run("serve", "--limit", "connections=0").err())
                .startsWith("espalier-node: the limit connections is 0: choose 1 or more");
        assertThat(Command.run("serve", "--limit", "patience=3").err())
                .contains(
                        "there is no limit 'patience': choose one of connections, idle-seconds, handshake-seconds, calls");
        assertThat(Command.run("serve", "--limit", "calls=many").err()).contains("'many' is not an int");
    }
}
