package org.espalier.node.ring;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * The work of a node for its engine, that of all its deployments in the order of arrival, one piece at a time. It belongs to the agent's
 * thread, which is not the engine's, so that an engine that does not come back is noticed.
 */
public final class EngineQueue {

    /** Ticks come each 0.5 s; after a longer time this process was paused. */
    private static final long LONGEST_TICK = TimeUnit.SECONDS.toNanos(1);

    /** A piece of work. What {@link #run} or {@link #executed} throws is a defect, which {@link #failed} is told of. */
    public interface Work {

        /** Whose it is. */
        Object owner();

        /** The engine has it. */
        default void started() {}

        /** On the engine's thread. */
        void run();

        /** It has run. */
        void executed(long nanos);

        /** For how long it may run. */
        long limitNanos();

        void failed(Throwable error);

        /** It, or what runs before it, has taken longer than it may. Told at each tick. */
        void overdue(Work running, long nanos);
    }

    /** The engine. It takes work, or throws something; once it has it, it calls {@link #executed} on the agent's thread once the work has run, or {@link #failed} with what it has thrown. */
    public interface Engine {
        void execute(Work work);
    }

    private final Engine engine;
    private final LongSupplier nanos;
    private final Deque<Work> waiting = new ArrayDeque<>();
    private Work running;
    private long since;
    /** For how long it has run, without the time in which this process was paused. */
    private long counted;

    private long lastTick;

    public EngineQueue(Engine engine, LongSupplier nanos) {
        this.engine = engine;
        this.nanos = nanos;
    }

    public void submit(Work work) {
        waiting.add(work);
        start();
    }

    /** Takes back work that waits. */
    void withdraw(Predicate<Work> which) {
        waiting.removeIf(which);
    }

    /** For how long the owner's work has been running; 0 if it does not run. */
    long runningNanos(Object owner) {
        return running != null && running.owner() == owner ? Math.max(1, nanos.getAsLong() - since) : 0;
    }

    /** Whether the engine is busy with somebody else's work. */
    boolean isBehind(Object owner) {
        return running != null && running.owner() != owner;
    }

    /** Whether nothing of the owner runs or waits. */
    boolean isIdle(Object owner) {
        return (running == null || running.owner() != owner)
                && waiting.stream().noneMatch(work -> work.owner() == owner);
    }

    /** The running work has run. */
    public void executed() {
        Work done = running;
        running = null;
        try {
            done.executed(nanos.getAsLong() - since);
        } catch (Throwable e) {
            done.failed(e);
        } finally {
            start();
        }
    }

    /** The running work has thrown something. */
    public void failed(Throwable error) {
        Work done = running;
        running = null;
        try {
            done.failed(error);
        } finally {
            start();
        }
    }

    /** Each 0.5 s. */
    public void tick() {
        long now = nanos.getAsLong();
        counted += Math.min(now - Math.max(since, lastTick), LONGEST_TICK);
        lastTick = now;
        start();
        if (running != null && counted > running.limitNanos()) {
            Work late = running;
            long taken = counted;
            late.overdue(late, taken);
            List.copyOf(waiting).forEach(work -> work.overdue(late, taken));
        }
    }

    /** Where the engine does not take it, for want of memory say, it stays the first, and the next tick tries it again. */
    private void start() {
        if (running == null && !waiting.isEmpty()) {
            Work next = waiting.element();
            since = nanos.getAsLong();
            counted = 0;
            engine.execute(next);
            waiting.remove();
            running = next;
            next.started();
        }
    }
}
