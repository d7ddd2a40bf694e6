package org.espalier.node.ring;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.espalier.config.RoutedExperts;
import org.espalier.engine.Cancel;
import org.espalier.engine.EngineException;
import org.espalier.engine.Exchange;
import org.espalier.engine.Executor;
import org.espalier.engine.ForwardingExecutor;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.failure.Failure;
import org.espalier.node.service.FakeEngine;
import org.espalier.node.service.FakeProgram;
import org.espalier.v1.Hello;

/** A node's process with its agent and engine, without threads and wires. */
final class SimulatedNode implements EngineQueue.Engine {

    private static final int CONTEXT = 4000;
    private static final long TICK = World.seconds(0.5);

    final World world;
    final String name;
    final List<SimulatedLink> links = new ArrayList<>();
    private final SimulatedRing ring;
    private final FakeEngine fakes;
    private final EngineQueue engine;

    /** Null while nothing is loaded. */
    private Held held;

    private final List<Held> former = new ArrayList<>();
    private long placing;

    private boolean dead;
    private boolean paused;
    private final Deque<Runnable> afterPause = new ArrayDeque<>();

    /** Thrown by the next step, once; null for none. */
    Throwable nextStep;
    /** Sessions whose steps and openings fail. */
    final Set<Long> poisoned = new HashSet<>();

    Set<Long> unopenable = new HashSet<>();
    /** How long the next work takes in addition. */
    long delay;

    boolean hangs;
    /** Thrown by the next work itself, which no work should; null for none. */
    Throwable nextWork;
    /** How many times the agent will find that there is no memory. */
    int shortages;
    /** How long each row takes; 0: a time that the seed decides, whatever the work. */
    long rowNanos;

    SimulatedNode(SimulatedRing ring, World world, String name, FakeEngine fakes) {
        this.ring = ring;
        this.world = world;
        this.name = name;
        this.fakes = fakes;
        this.engine = new EngineQueue(this, world::now);
        world.after(world.millis(0, 500), this::tick);
    }

    /** What is loaded: one placement of the deployment. */
    final class Held implements RingPorts {
        final RingPlace place;
        final FakeProgram program;
        final StageShard shard;
        final Member member;
        private boolean joined;

        private Held(RingPlace place) {
            this.place = place;
            this.program = new FakeProgram(
                    place.self().getFirstLayer(),
                    place.self().getEndLayer(),
                    place.shards().get(place.shards().size() - 1).getEndLayer(),
                    Float.BYTES,
                    0);
            this.shard = new FakeShard(fakes.load(program, new Faulty(program)));
            this.member = new Member(place, shard, RingLimits.DEFAULT, engine, this);
        }

        /** Whether it has ever served. */
        boolean hasServed() {
            return joined;
        }

        /** Whether nothing is left of any generation; one that is behind a hung engine goes once that is noticed. */
        boolean isAtRest() {
            return member.isIdle() && member.sessions() == 0;
        }

        @Override
        public long nanos() {
            return world.now();
        }

        @Override
        public FrameSink dial(FrameSource replies) {
            return ring.dial(SimulatedNode.this, place.next().getNode(), replies);
        }

        @Override
        public void defect(Throwable error) {
            ring.log(name + " defect: " + error);
            if (!"simulated".equals(error.getMessage())) {
                ring.defects.add(error);
            }
        }

        @Override
        public void broken(Failure why) {
            ring.log(name + " broken: " + why.message());
        }

        @Override
        public void gaveUp(Failure why) {
            ring.log(name + " gave up: " + why.message());
        }

        @Override
        public void joined(long incarnation) {
            joined = true;
            ring.log(name + " serves epoch " + place.epoch() + ", incarnation " + incarnation);
        }
    }

    /** What is loaded, if anything is. */
    Optional<Held> held() {
        return Optional.ofNullable(held);
    }

    /** All that was ever loaded in this process. */
    List<Held> all() {
        List<Held> all = new ArrayList<>(former);
        held().ifPresent(all::add);
        return all;
    }

    /**
     * Loads a placement instead of the former one, once the engine has ended what it computes.
     *
     * @param then told when that is done
     */
    void load(RingPlace place, Runnable then) {
        if (place.epoch() <= placing) {
            return; // it has been placed again in the meantime
        }
        placing = place.epoch();
        if (held != null) {
            Held old = held;
            guarded(() -> old.member.leave(RingFailure.gone(old.place, "placed again as epoch " + place.epoch())));
            former.add(old);
            held = null;
        }
        engine.submit(new Freed(() -> {
            if (placing == place.epoch()) {
                held = new Held(place);
                then.run();
            }
        }));
    }

    private record Freed(Runnable then) implements EngineQueue.Work {
        @Override
        public Object owner() {
            return this;
        }

        @Override
        public void run() {}

        @Override
        public void executed(long nanos) {
            then.run();
        }

        @Override
        public void failed(Throwable error) {
            throw new AssertionError(error);
        }

        @Override
        public long limitNanos() {
            return Long.MAX_VALUE;
        }

        @Override
        public void overdue(EngineQueue.Work running, long nanos) {}
    }

    /** Has its process do something, unless it is dead; later if it is paused. */
    void handle(Runnable what) {
        if (dead) {
            return;
        }
        if (paused) {
            afterPause.add(what);
            return;
        }
        guarded(what);
    }

    /** As the agent of a real node. */
    private void guarded(Runnable what) {
        try {
            what.run();
        } catch (Throwable e) {
            try {
                held().ifPresent(now -> now.member.defect(e));
            } catch (OutOfMemoryError again) {
                // the next tick tries it again
            }
        }
    }

    /** Throws an OutOfMemoryError if it is short of memory, for the last time perhaps. */
    void allocate() {
        if (shortages > 0) {
            shortages--;
            throw new OutOfMemoryError("simulated");
        }
    }

    private void tick() {
        if (paused) {
            afterPause.add(this::tick);
        } else if (!dead) {
            guarded(engine::tick);
            all().forEach(each -> guarded(each.member::tick));
            world.after(TICK, this::tick);
        }
    }

    /** Whether its engine never comes back. */
    boolean isHung() {
        return hangs;
    }

    boolean isDead() {
        return dead;
    }

    /** @param silently as a machine that loses power; otherwise its connections close */
    void crash(boolean silently) {
        dead = true;
        for (SimulatedLink link : links) {
            if (silently) {
                link.silence();
            } else {
                link.cut();
            }
        }
    }

    void pause() {
        paused = true;
    }

    void resume() {
        paused = false;
        while (!paused && !afterPause.isEmpty()) {
            handle(afterPause.remove());
        }
    }

    /** Whether what was done to its engine and sessions no longer matters. */
    void heal() {
        poisoned.clear();
        unopenable.clear();
        nextStep = null;
        nextWork = null;
        shortages = 0;
        delay = 0;
        links.forEach(link -> link.tamper(true, null));
    }

    FrameSource greet(Hello hello, FrameSink replies) {
        if (held == null || held.place.epoch() != hello.getEpoch()) {
            throw gone().exception();
        }
        return held.member.accept(hello, replies);
    }

    /** Why there is no such deployment here. */
    Failure gone() {
        return new Failure(name, Failure.Kind.DEPLOYMENT_GONE, "node " + name + " has no deployment 'd' of that epoch");
    }

    /** Work is done as it ends, so that a cancellation meanwhile is seen. */
    @Override
    public void execute(EngineQueue.Work work) {
        if (rowNanos > 0) {
            int before = rows();
            work.run();
            world.after(rowNanos * Math.max(1, rows() - before), () -> handle(engine::executed));
            return;
        }
        long takes = world.millis(0.1, 20) + delay;
        delay = 0;
        world.after(
                takes,
                () -> handle(() -> {
                    Throwable thrown = nextWork;
                    nextWork = null;
                    if (thrown != null) {
                        engine.failed(thrown);
                    } else {
                        work.run();
                        engine.executed();
                    }
                }));
    }

    private int rows() {
        return held == null ? 0 : held.program.rows();
    }

    private final class Faulty implements ForwardingExecutor {
        private final Executor executor;

        private Faulty(Executor executor) {
            this.executor = executor;
        }

        @Override
        public Executor executor() {
            return executor;
        }

        @Override
        public void open(long session, int maxLength, RouterEdits edits) {
            if (unopenable.contains(session)) {
                throw new EngineException("there is no memory for session " + session);
            }
            executor.open(session, maxLength, edits);
        }

        @Override
        public StepResult run(Step step, Exchange exchange, Cancel cancel) {
            cancel.check();
            Throwable error = nextStep;
            nextStep = null;
            if (error instanceof Error e) {
                throw e;
            }
            if (error instanceof RuntimeException e) {
                throw e;
            }
            if (step.entries().stream().anyMatch(entry -> poisoned.contains(entry.session()))) {
                throw new EngineException("op 3 went wrong");
            }
            return executor.run(step, exchange, cancel);
        }
    }

    private record FakeShard(LoadedProgram program) implements StageShard {
        @Override
        public String engine() {
            return "fake";
        }

        @Override
        public String precision() {
            return "float32";
        }

        @Override
        public int context() {
            return CONTEXT;
        }

        @Override
        public int vocabulary() {
            return FakeProgram.VOCABULARY;
        }

        @Override
        public Optional<RoutedExperts> moe() {
            return Optional.of(new RoutedExperts(FakeProgram.EXPERTS, FakeProgram.WIDTH, 8, List.of(1, 2)));
        }

        @Override
        public TokenText text() {
            return token -> String.valueOf((char) ('A' + token));
        }

        @Override
        public void close() {
            program.close();
        }
    }
}
