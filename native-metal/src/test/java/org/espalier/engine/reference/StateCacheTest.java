package org.espalier.engine.reference;

import static org.assertj.core.api.Assertions.assertThat;

import org.espalier.program.Cache;
import org.junit.jupiter.api.Test;

final class StateCacheTest {

    private final StateCache cache = (StateCache) SessionCache.of(new Cache.State(2), 1 << 20);

    /** As an op does: what follows from the state before and the rows of the step. */
    private static void step(StateCache cache, float row) {
        cache.after()[0] = 2 * cache.before()[0] + row;
        cache.after()[1] += 1;
    }

    private void run(int end, float row) {
        cache.reserve(end);
        step(cache, row);
        cache.commit(end);
    }

    @Test
    void aStepReadsWhatTheLastOneLeft() {
        run(1, 5);
        run(2, 7);
        assertThat(cache.before()).containsExactly(17, 2);
    }

    @Test
    void aStepThatFailsLeavesItAsItWas() {
        run(1, 5);
        cache.reserve(4);
        step(cache, 100);
        assertThat(cache.before()).containsExactly(5, 1);
        cache.reserve(2);
        assertThat(cache.after()).containsExactly(5, 1);
        step(cache, 7);
        cache.commit(2);
        assertThat(cache.before()).containsExactly(17, 2);
    }

    @Test
    void itIsCutToWhatItIsToNothingOrToASnapshot() {
        run(3, 5);
        cache.snapshot();
        cache.drop(3);
        assertThat(cache.before()).containsExactly(5, 1);
        run(4, 1);
        cache.snapshot();
        assertThat(cache.snapshotValues()).isEqualTo(4);
        cache.drop(3);
        assertThat(cache.before()).containsExactly(5, 1);
        assertThat(cache.snapshotValues()).as("the longer one is gone").isEqualTo(2);
        run(5, 2);
        assertThat(cache.before()).containsExactly(12, 2);
        cache.drop(3);
        assertThat(cache.before()).as("again").containsExactly(5, 1);
        cache.dropSnapshot(3);
        assertThat(cache.snapshotValues()).isZero();
        cache.drop(0);
        assertThat(cache.before()).containsExactly(0, 0);
    }

    @Test
    void aCopyGoesItsOwnWay() {
        run(3, 5);
        cache.snapshot();
        StateCache copy = cache.copy(3);
        StateCache empty = cache.copy(0);
        copy.reserve(4);
        step(copy, 1);
        copy.commit(4);
        run(4, 2);
        StateCache older = cache.copy(3);
        assertThat(copy.before()).containsExactly(11, 2);
        assertThat(cache.before()).containsExactly(12, 2);
        assertThat(empty.before()).containsExactly(0, 0);
        assertThat(older.before()).containsExactly(5, 1);
        assertThat(older.snapshotValues()).isZero();
    }
}
