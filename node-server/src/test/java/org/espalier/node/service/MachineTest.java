package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the system's own commands say of a machine: none of them holds a node up. */
@Timeout(20)
class MachineTest {

    @Test
    void whatACommandSaysIsRead() {
        assertThat(Machine.output("sh", "-c", "echo 16384; echo and more >&2")).isEqualTo("16384\nand more\n");
    }

    @Test
    void oneThatHangsOrIsMissingSaysNothing() {
        assertThat(Machine.output("sleep", "60")).isEmpty();
        assertThat(Machine.output("no-such-command")).isEmpty();
    }
}
