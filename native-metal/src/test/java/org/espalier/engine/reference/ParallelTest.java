package org.espalier.engine.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.espalier.engine.Cancel;
import org.espalier.engine.CancelledException;
import org.espalier.engine.EngineException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ParallelTest {

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 5})
    void everyIndexIsComputedOnceByAtMostSoManyThreads(int threads) {
        int most = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        Set<Thread> seen = ConcurrentHashMap.newKeySet();
        AtomicIntegerArray times = new AtomicIntegerArray(1000);
        try (Parallel parallel = new Parallel(threads)) {
            parallel.forRange(1000, 1, new Cancel(), (from, to) -> {
                seen.add(Thread.currentThread());
                for (int i = from; i < to; i++) {
                    times.incrementAndGet(i);
                }
            });
        }
        for (int i = 0; i < 1000; i++) {
            assertThat(times.get(i)).as("index %d", i).isEqualTo(1);
        }
        assertThat(seen).contains(Thread.currentThread()).hasSizeLessThanOrEqualTo(most);
    }

    @Test
    void aFailureOnAnyThreadIsThrownToTheCaller() {
        try (Parallel parallel = new Parallel(4)) {
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> parallel.forRange(400, 1, new Cancel(), (from, to) -> {
                        if (from >= 300) {
                            throw new EngineException("here");
                        }
                    }))
                    .withMessage("here");
        }
    }

    /** Pieces write to what the caller owns: none may run on after the loop has failed, whatever failed. */
    @ParameterizedTest
    @ValueSource(ints = {0, 3})
    void anErrorIsThrownToTheCallerWhenNoPieceRunsAnyMore(int failing) {
        AtomicInteger running = new AtomicInteger();
        try (Parallel parallel = new Parallel(4)) {
            assertThatThrownBy(() -> parallel.forRange(4, 1, new Cancel(), (from, to) -> {
                        if (from == failing) {
                            throw new OutOfMemoryError("none left");
                        }
                        running.incrementAndGet();
                        sleep();
                        running.decrementAndGet();
                    }))
                    .isInstanceOf(OutOfMemoryError.class)
                    .hasMessage("none left");
            assertThat(running).hasValue(0);
        }
    }

    private static void sleep() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aCancelEndsTheLoop() {
        Cancel cancel = new Cancel();
        try (Parallel parallel = new Parallel(2)) {
            assertThatExceptionOfType(CancelledException.class)
                    .isThrownBy(() -> parallel.forRange(100_000, 1, cancel, (from, to) -> cancel.set()));
        }
    }
}
