package org.espalier.node.ring.agent;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.espalier.DaemonThreads;
import org.espalier.node.ring.EngineQueue;
import org.espalier.node.ring.RingLimits;
import org.espalier.node.ring.RingPlace;
import org.espalier.node.ring.StageShard;
import org.espalier.transport.Channels;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one thread that decides for all rings of a node. It never computes or waits, so a long step does not look like a dead node. */
public final class RingAgent implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RingAgent.class);

    private static final long TICK_MILLIS = 500;

    /** A shard is freed well within this, unless its files' share does not answer. */
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final ScheduledThreadPoolExecutor thread = new ScheduledThreadPoolExecutor(1, this::thread);
    private volatile Thread current;
    private final Set<RingMember> members = ConcurrentHashMap.newKeySet();
    private final StepThread steps;
    private final EngineQueue engine;
    private final Channels channels;
    private final RingLimits limits;

    public RingAgent(Channels channels, RingLimits limits) {
        this.channels = channels;
        this.limits = limits;
        this.steps = new StepThread(thrown -> execute(() -> executed(thrown)));
        this.engine = new EngineQueue(steps, System::nanoTime);
        // With a fixed delay a pause of this process makes one late tick, not a burst that would look like silence of
        // the others.
        thread.scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private Thread thread(Runnable work) {
        current = new DaemonThreads("espalier-ring").newThread(work);
        return current;
    }

    boolean isCurrentThread() {
        return Thread.currentThread() == current;
    }

    /** Makes this node a member of a ring, until {@link RingMember#leave}. */
    public RingMember member(RingPlace place, StageShard shard) {
        RingMember member = new RingMember(place, shard, this, channels, limits, engine);
        members.add(member);
        return member;
    }

    void forget(RingMember member) {
        members.remove(member);
    }

    private void executed(Throwable thrown) {
        if (thrown == null) {
            engine.executed();
        } else {
            engine.failed(thrown);
        }
        members.forEach(RingMember::publish);
    }

    /** Lets nothing through, not even a want of memory at its first line: it would end the ticks. */
    private void tick() {
        try {
            guarded(engine::tick);
            members.forEach(member -> guarded(member::tick));
        } catch (Throwable e) {
            log("a tick of the ring failed", e);
        }
    }

    /** Lets nothing through: thrown on, it would end the ticks, or nobody would hear of it. */
    private static void guarded(Runnable event) {
        try {
            event.run();
        } catch (Throwable e) {
            log("an event of the ring failed by a defect", e);
        }
    }

    /** Where memory is short saying so may fail too; whoever waits has been told before. */
    static void log(String what, Throwable error) {
        try {
            LOG.error(what, error);
        } catch (Throwable alsoFailed) {
            // there is nothing left to say it with
        }
    }

    /** Has an event handled after those before it; false once the node is closed. */
    boolean execute(Runnable event) {
        try {
            thread.execute(() -> guarded(event));
            return true;
        } catch (RejectedExecutionException closed) {
            return false;
        }
    }

    /** Frees a shard after all work enqueued before; completes when that is done. */
    public CompletableFuture<Void> free(StageShard shard) {
        return afterAllWork(shard::close);
    }

    /** Runs something on the engine's side after all work enqueued before; completes when that is done. */
    CompletableFuture<Void> afterAllWork(Runnable last) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        if (!execute(() -> engine.submit(new LastWork(last, done)))) {
            done.complete(null);
        }
        return done;
    }

    private record LastWork(Runnable work, CompletableFuture<Void> done) implements EngineQueue.Work {
        @Override
        public Object owner() {
            return this;
        }

        @Override
        public void run() {
            try {
                work.run();
            } catch (Throwable e) {
                LOG.error("a shard could not be freed", e);
            }
        }

        @Override
        public void executed(long nanos) {
            done.complete(null);
        }

        @Override
        public void failed(Throwable error) {}

        @Override
        public long limitNanos() {
            return LIMIT_NANOS; // whoever waits for it has a limit of its own; those behind it are told
        }

        @Override
        public void overdue(EngineQueue.Work running, long nanos) {}
    }

    /** Ends after all work enqueued before, which may be long in coming: nobody waits for it. */
    @Override
    public void close() {
        afterAllWork(() -> {}).thenRun(() -> {
            thread.shutdown();
            steps.close();
        });
    }
}
