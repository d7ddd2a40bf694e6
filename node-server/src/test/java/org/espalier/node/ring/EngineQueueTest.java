package org.espalier.node.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** An engine that hangs is told from a process that was paused, and one that takes no work at the moment from one that is busy. */
class EngineQueueTest {

    private static final long TICK = TimeUnit.MILLISECONDS.toNanos(500);

    private final List<String> events = new ArrayList<>();
    private long now;
    private Error refusal;
    private final EngineQueue queue = new EngineQueue(this::execute, () -> now);

    private void execute(EngineQueue.Work work) {
        if (refusal != null) {
            throw refusal;
        }
        events.add(work + " begins");
    }

    private final class Named implements EngineQueue.Work {
        private final String name;

        private Named(String name) {
            this.name = name;
        }

        @Override
        public String toString() {
            return name;
        }

        @Override
        public Object owner() {
            return name;
        }

        @Override
        public void run() {}

        @Override
        public void executed(long nanos) {
            events.add(name + " ends");
        }

        @Override
        public long limitNanos() {
            return TimeUnit.SECONDS.toNanos(60);
        }

        @Override
        public void failed(Throwable error) {
            events.add(name + " failed: " + error.getMessage());
        }

        @Override
        public void overdue(EngineQueue.Work running, long nanos) {
            events.add(name + " waits for " + running);
        }
    }

    private void tick(long after) {
        now += after;
        queue.tick();
    }

    @Test
    void aPauseOfTheProcessIsNotTheEngines() {
        queue.submit(new Named("a"));
        tick(TICK);
        tick(TimeUnit.SECONDS.toNanos(70)); // stopped, and continued
        assertThat(events).containsExactly("a begins");
        for (int i = 0; i < 117; i++) {
            tick(TICK);
        }
        assertThat(events).as("60 s").containsExactly("a begins");
        tick(TICK);
        assertThat(events).containsExactly("a begins", "a waits for a");
    }

    @Test
    void whoWaitsBehindAnotherKnowsOfIt() {
        queue.submit(new Named("a"));
        queue.submit(new Named("b"));
        assertThat(queue.isBehind("b")).isTrue();
        assertThat(queue.isBehind("a")).isFalse();
        queue.executed();
        assertThat(events).containsExactly("a begins", "a ends", "b begins");
        assertThat(queue.isBehind("b")).isFalse();
    }

    @Test
    void workThatTheEngineDoesNotTakeIsBegunByTheNextTick() {
        refusal = new OutOfMemoryError("unable to create native thread");
        assertThatThrownBy(() -> queue.submit(new Named("a"))).isSameAs(refusal);
        assertThat(queue.isIdle("a")).isFalse();
        assertThatThrownBy(() -> tick(TICK)).isSameAs(refusal);
        refusal = null;
        tick(TICK);
        queue.executed();
        assertThat(events).containsExactly("a begins", "a ends");
    }
}
