package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelMemoryTest {

    private static final long GIB = 1L << 30;

    @Test
    void aMacsLimitIsInMebibytes() {
        assertThat(ModelMemory.ofMac(64 * GIB, "57344\n")).isEqualTo(new ModelMemory(56 * GIB, "iogpu.wired_limit_mb"));
    }

    @Test
    void aLimitBeyondTheMemoryIsTheMemory() {
        assertThat(ModelMemory.ofMac(16 * GIB, "999999999").bytes()).isEqualTo(16 * GIB);
    }

    /** 0 is the system's own limit; the rest is what an older or another sysctl may say. */
    @ParameterizedTest
    @ValueSource(strings = {"0", "", "sysctl: unknown oid 'iogpu.wired_limit_mb'", "-5", "99999999999999999999"})
    void withoutALimitItIsAboutThreeQuarters(String said) {
        assertThat(ModelMemory.ofMac(64 * GIB, said))
                .isEqualTo(new ModelMemory(48 * GIB, "about 75 %, as iogpu.wired_limit_mb is not set"));
    }

    @Test
    void elsewhereItIsAll() {
        assertThat(ModelMemory.all(5)).isEqualTo(new ModelMemory(5, ""));
    }
}
