package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The arguments of {@code doctor}; what it measures is tested beside it. */
final class DoctorCommandTest {

    @Test
    void anEngineThatThereIsNotIsRefusedAtOnce() {
        Command command = Command.run("doctor", "--engine", "warp");

        assertThat(command.exit()).isNotZero();
        assertThat(command.err()).contains("there is no engine 'warp' here: choose one of cpu, mlx, reference");
        assertThat(command.out()).isEmpty();
    }
}
