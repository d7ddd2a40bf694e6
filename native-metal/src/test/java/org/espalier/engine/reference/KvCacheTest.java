package org.espalier.engine.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.espalier.engine.EngineException;
import org.espalier.program.Cache;
import org.junit.jupiter.api.Test;

final class KvCacheTest {

    @Test
    void growsToTheLengthButNotBeyondTheSessionsGreatest() {
        KvCache cache = new GrowingCache(3, 8);
        cache.reserve(5);
        assertThat(cache.array(0)).hasSize(15);
        cache.reserve(6);
        assertThat(cache.array(0)).hasSize(24);
    }

    @Test
    void aWindowKeepsItsRowsAndTheSpareOnesWhateverTheSession() {
        KvCache cache = (KvCache) SessionCache.of(new Cache.Rows(2, 10), 1 << 20);
        for (int end = 1; end <= 1000; end++) {
            cache.reserve(end);
            cache.array(end - 1)[cache.offset(end - 1)] = end;
            cache.commit(end);
        }
        assertThat(cache.array(999)).hasSize((10 + 64) * 2);
        for (int position = 1000 - 74; position < 1000; position++) {
            assertThat(cache.array(position)[cache.offset(position)]).isEqualTo(position + 1);
        }
    }

    @Test
    void moreRowsThanAnArrayHoldsAreRefused() {
        KvCache cache = new GrowingCache(1 << 20, 1 << 12);
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> cache.reserve(1 << 12))
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
