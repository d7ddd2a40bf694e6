package org.espalier.engine.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.espalier.engine.EngineException;
import org.junit.jupiter.api.Test;

final class KvCacheTest {

    @Test
    void growsToTheLengthButNotBeyondTheSessionsGreatest() {
        KvCache cache = new KvCache(3);
        cache.reserve(5, 8);
        assertThat(cache.rows()).hasSize(15);
        cache.reserve(6, 8);
        assertThat(cache.rows()).hasSize(24);
    }

    @Test
    void moreRowsThanAnArrayHoldsAreRefused() {
        KvCache cache = new KvCache(1 << 20);
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> cache.reserve(1 << 12, 1 << 12))
                .withMessage("a KV cache of 4096 rows x 1048576 needs 4294967296 floats, the reference engine keeps at"
                        + " most 2147483639 a layer: use a shorter session");
    }

    @Test
    void moreRowsInAStepThanAnArrayHoldsAreRefused() {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> Vectors.zeros(1 << 16, 1 << 16))
                .withMessage("a step of 65536 rows x 65536 columns does not fit one array: send fewer rows a step");
    }
}
