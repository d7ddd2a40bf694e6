package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class EngineThreadTest {

    private final EngineThread thread = new EngineThread("tiny");

    @AfterEach
    void close() {
        thread.close();
    }

    @Test
    void allWorkRunsOnOneThreadAlsoWhatItCallsItself() {
        Thread first = thread.call(Thread::currentThread);
        assertThat(first).isNotSameAs(Thread.currentThread());
        assertThat(first.getName()).isEqualTo("espalier-engine-tiny");
        Callable<Thread> nested = () -> thread.call(Thread::currentThread);
        assertThat(thread.call(nested)).isSameAs(first);
    }

    private void assertFailure(Callable<?> work, String message) {
        Callable<?> nested = () -> thread.call(work);
        for (Callable<?> call : List.<Callable<?>>of(work, nested)) {
            assertThatExceptionOfType(EngineException.class)
                    .isThrownBy(() -> thread.call(call))
                    .withMessage(message);
        }
    }

    @Test
    void whateverIsThrownReachesTheCaller() {
        IllegalStateException known = new IllegalStateException("as it is");
        assertThatThrownBy(() -> thread.call(() -> {
                    throw known;
                }))
                .isSameAs(known);
        assertFailure(
                () -> {
                    throw new IOException("no disk");
                },
                "the engine tiny failed: java.io.IOException: no disk");
        assertFailure(
                () -> {
                    throw new StackOverflowError();
                },
                "the engine tiny failed: java.lang.StackOverflowError");
        OutOfMemoryError memory = new OutOfMemoryError("Java heap space");
        assertThatThrownBy(() -> thread.call(() -> {
                    throw memory;
                }))
                .isSameAs(memory);
        assertThat(thread.call(() -> 1)).isEqualTo(1);
    }

    @Test
    void aClosedEngineSaysSo() {
        thread.close();
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> thread.call(() -> 1))
                .withMessage("the engine tiny is closed");
    }

    /** What runs may write into the caller's memory: it is never left alone. */
    @Test
    void anInterruptIsKeptUntilTheWorkHasEnded() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        boolean[] seen = new boolean[2];
        Thread caller = new Thread(() -> {
            seen[0] = thread.call(() -> {
                begun.countDown();
                return mayEnd.await(20, TimeUnit.SECONDS);
            });
            seen[1] = Thread.currentThread().isInterrupted();
        });
        caller.start();
        assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
        caller.interrupt();
        caller.join(50);
        assertThat(caller.isAlive()).isTrue();
        mayEnd.countDown();
        caller.join(20_000);
        assertThat(seen).containsExactly(true, true);
    }
}
