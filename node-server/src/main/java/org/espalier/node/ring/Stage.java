package org.espalier.node.ring;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.espalier.engine.Cancel;
import org.espalier.failure.Failure;
import org.espalier.v1.CancelSession;
import org.espalier.v1.CloseSession;
import org.espalier.v1.ForkSession;
import org.espalier.v1.Frame;
import org.espalier.v1.OpenSession;
import org.espalier.v1.StageProgress;
import org.espalier.v1.StepEntry;
import org.espalier.v1.StepFrame;
import org.espalier.v1.TruncateSession;

/**
 * A shard's part in the ring: has the frames of its one inbound stream executed in their order and sends on what follows each. Only
 * {@code CancelSession} overtakes: it takes effect, and travels on, as it arrives.
 */
final class Stage {

    /** Where the frames of a stage go, and its failures. */
    interface Next {
        void send(Frame.Builder frame);

        /** The engine does not come back. */
        void onHang(Failure failure);

        void onDefect(Throwable error);
    }

    private final RingPlace place;
    private final int maxWaiting;
    private final ShardExecutor shard;
    private final Exit exit;
    private final EngineQueue engine;
    private final StepTimes times;
    private final Next next;
    private final Arrival arrival = new Arrival();

    private final Set<Long> sessions = new HashSet<>();
    private final Set<Long> cancelled = new HashSet<>();
    /** Grows when the stage stops; what was begun before is not sent on. */
    private int run;

    private Execution running;
    private int waiting;
    private long received = -1;
    private long finished = -1;

    Stage(RingPlace place, ShardExecutor shard, Exit exit, EngineQueue engine, StepTimes times, Next next) {
        this.place = place;
        this.maxWaiting = maxWaiting(place.shards().size());
        this.shard = shard;
        this.exit = exit;
        this.engine = engine;
        this.times = times;
        this.next = next;
    }

    /**
     * More frames than a head ever keeps waiting, so that a flood breaks the ring and does not exhaust memory. A head has at most one step in
     * flight for each stage, each with the opening of at most {@link StepRows#MOST} sessions before it, and it closes each session once: about
     * half of this.
     */
    private static int maxWaiting(int stages) {
        return 4 * RingLimits.RUNNING * stages;
    }

    /** Sessions that are open here or about to be opened. */
    int sessions() {
        return sessions.size();
    }

    /** Whether nothing of it is left to run. */
    boolean isIdle() {
        return engine.isIdle(this);
    }

    /** What heartbeats say of this stage. */
    StageProgress progress() {
        long nanos = engine.runningNanos(this);
        return StageProgress.newBuilder()
                .setNode(place.self().getNode())
                .setReceived(received)
                .setFinished(finished)
                .setRunningMillis(nanos == 0 ? 0 : 1 + TimeUnit.NANOSECONDS.toMillis(nanos))
                .setLimitMillis(TimeUnit.NANOSECONDS.toMillis(times.leastLimitNanos()))
                .setRowLimitMicros(TimeUnit.NANOSECONDS.toMicros(times.rowLimitNanos()))
                .setBehind(engine.isBehind(this))
                .build();
    }

    /**
     * Accepts the next frame.
     *
     * @throws IllegalArgumentException for a frame that is not meant for a stage
     */
    void accept(Frame frame) {
        FrameVisitor.visit(frame, arrival);
    }

    /** Ends the running step, drops what is waiting and frees all sessions. */
    void stop() {
        run++;
        waiting = 0;
        received = -1;
        finished = -1;
        engine.withdraw(work -> work.owner() == this && work instanceof Execution);
        if (running != null) {
            running.cancel.set();
        }
        if (!sessions.isEmpty()) {
            engine.submit(new Freeing(Set.copyOf(sessions)));
        }
        sessions.clear();
        cancelled.clear();
    }

    /** Whether a step was not computed to its end: such a one says nothing of how long steps take. */
    private static boolean ended(Frame.Builder follows) {
        return follows.getStep().hasEnd() || follows.getOutcome().hasEnd();
    }

    private final class Arrival implements FrameVisitor<Void> {

        @Override
        public Void open(OpenSession open) {
            return submit(Frame.newBuilder().setOpen(open).build(), open.getSession());
        }

        @Override
        public Void fork(ForkSession fork) {
            return submit(Frame.newBuilder().setFork(fork).build(), fork.getTo());
        }

        @Override
        public Void truncate(TruncateSession truncate) {
            return submit(Frame.newBuilder().setTruncate(truncate).build());
        }

        @Override
        public Void close(CloseSession close) {
            return submit(Frame.newBuilder().setClose(close).build());
        }

        @Override
        public Void step(StepFrame step) {
            received = step.getStep();
            return submit(Frame.newBuilder().setStep(step).build());
        }

        @Override
        public Void cancel(CancelSession cancel) {
            if (sessions.contains(cancel.getSession())) {
                cancelled.add(cancel.getSession());
                if (running != null && running.isCancelled()) {
                    running.cancel.set();
                }
            }
            exit.passed(Frame.newBuilder().setCancel(cancel)).ifPresent(next::send);
            return null;
        }

        @Override
        public Void other(Frame.BodyCase kind) {
            throw new IllegalArgumentException(kind + " frames are not meant for a stage");
        }

        /** Known before it is begun: should that fail, it is freed as if it were open. */
        private Void submit(Frame frame, long opened) {
            requireRoom();
            sessions.add(opened);
            return submit(frame);
        }

        private Void submit(Frame frame) {
            requireRoom();
            waiting++;
            engine.submit(new Execution(frame));
            return null;
        }

        private void requireRoom() {
            if (waiting >= maxWaiting) {
                throw new IllegalArgumentException("more than " + maxWaiting + " frames are waiting");
            }
        }
    }

    /** A frame on its way through the engine. */
    private final class Execution implements EngineQueue.Work {
        private final Frame frame;
        private final int rows;
        private final int begun = run;
        private final Cancel cancel = new Cancel();
        private Optional<Frame.Builder> follows = Optional.empty();

        private Execution(Frame frame) {
            this.frame = frame;
            this.rows = frame.getStep().getEntriesList().stream()
                    .mapToInt(StepEntry::getTokensCount)
                    .sum();
        }

        private boolean isCancelled() {
            return frame.hasStep()
                    && frame.getStep().getEntriesCount() > 0
                    && cancelled.containsAll(frame.getStep().getEntriesList().stream()
                            .map(StepEntry::getSession)
                            .collect(Collectors.toSet()));
        }

        @Override
        public Object owner() {
            return Stage.this;
        }

        @Override
        public void started() {
            waiting--;
            running = this;
            if (isCancelled()) {
                cancel.set();
            }
        }

        @Override
        public void run() {
            follows = shard.execute(frame, cancel);
        }

        @Override
        public void executed(long nanos) {
            running = null;
            if (begun != run) {
                return;
            }
            if (frame.hasClose()) {
                sessions.remove(frame.getClose().getSession());
                cancelled.remove(frame.getClose().getSession());
            } else if (frame.hasStep()) {
                finished = frame.getStep().getStep();
                if (rows > 0
                        && !frame.getStep().hasEnd()
                        && follows.filter(Stage::ended).isEmpty()) {
                    times.measured(rows, nanos);
                }
            }
            follows.ifPresent(next::send);
        }

        @Override
        public void failed(Throwable error) {
            next.onDefect(error);
        }

        @Override
        public long limitNanos() {
            return times.limitNanos(Math.max(1, rows));
        }

        @Override
        public void overdue(EngineQueue.Work late, long nanos) {
            if (begun == run) {
                next.onHang(RingFailure.hung(place.self(), late == this, TimeUnit.NANOSECONDS.toSeconds(nanos)));
            }
        }
    }

    /** Sessions that nobody will use any more. */
    private final class Freeing implements EngineQueue.Work {
        private static final int ATTEMPTS = 3;

        private final Set<Long> open;
        private int attempts = 1;

        private Freeing(Set<Long> open) {
            this.open = open;
        }

        @Override
        public Object owner() {
            return Stage.this;
        }

        @Override
        public void run() {
            shard.close(open);
        }

        @Override
        public void executed(long nanos) {}

        @Override
        public void failed(Throwable error) {
            if (attempts++ < ATTEMPTS) {
                engine.submit(this);
            }
            next.onDefect(error);
        }

        @Override
        public long limitNanos() {
            return times.limitNanos(1);
        }

        @Override
        public void overdue(EngineQueue.Work late, long nanos) {}
    }
}
