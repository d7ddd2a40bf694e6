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

/** A node's agent and engine, without threads and wires. */
final class SimulatedNode implements RingPorts, EngineQueue.Engine {

    private static final int CONTEXT = 4000;
    private static final long TICK = World.seconds(0.5);

    final World world;
    final RingPlace place;
    final FakeProgram program;
    final Member member;
    final StageShard shard;
    final List<SimulatedLink> links = new ArrayList<>();
    private final SimulatedRing ring;
    private final EngineQueue engine;

    private boolean dead;
    private boolean paused;
    private final Deque<Runnable> afterPause = new ArrayDeque<>();
    boolean joined;

    /** Thrown by the next step, once; null for none. */
    Throwable nextStep;
    /** Sessions whose steps and openings fail. */
    final Set<Long> poisoned = new HashSet<>();

    Set<Long> unopenable = new HashSet<>();
    /** How long the next work takes in addition. */
    long delay;

    boolean hangs;
    /** How long each row takes; 0: a time that the seed decides, whatever the work. */
    long rowNanos;

    SimulatedNode(SimulatedRing ring, World world, RingPlace place, FakeEngine fakes, RingLimits limits) {
        this.ring = ring;
        this.world = world;
        this.place = place;
        this.program = new FakeProgram(
                place.self().getFirstLayer(),
                place.self().getEndLayer(),
                place.shards().get(place.shards().size() - 1).getEndLayer(),
                Float.BYTES,
                0);
        this.engine = new EngineQueue(this, world::now);
        this.shard = new FakeShard(fakes.load(program, new Faulty(program)));
        this.member = new Member(place, shard, limits, engine, this);
        world.after(world.millis(0, 500), this::tick);
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
        try {
            what.run();
        } catch (Throwable e) {
            ring.defects.add(e);
            member.defect(e);
        }
    }

    private void tick() {
        if (paused) {
            afterPause.add(this::tick);
        } else if (!dead) {
            handle(() -> {
                engine.tick();
                member.tick();
            });
            world.after(TICK, this::tick);
        }
    }

    /** Whether its engine never comes back. */
    boolean isHung() {
        return hangs;
    }

    /** Whether nothing is left of any generation; one that is behind a hung engine goes once that is noticed. */
    boolean isAtRest() {
        return member.isIdle() && member.sessions() == 0;
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

    FrameSource greet(Hello hello, FrameSink replies) {
        return member.accept(hello, replies);
    }

    @Override
    public long nanos() {
        return world.now();
    }

    @Override
    public FrameSink dial(FrameSource replies) {
        return ring.dial(this, replies);
    }

    @Override
    public void broken(Failure why) {
        ring.log(place.self().getNode() + " broken: " + why.message());
    }

    @Override
    public void gaveUp(Failure why) {
        ring.log(place.self().getNode() + " gave up: " + why.message());
    }

    @Override
    public void joined(long incarnation) {
        joined = true;
        ring.log(place.self().getNode() + " serves " + incarnation);
    }

    /** Work is done as it ends, so that a cancellation meanwhile is seen. */
    @Override
    public void execute(EngineQueue.Work work) {
        if (rowNanos > 0) {
            int before = program.rows();
            work.run();
            world.after(rowNanos * Math.max(1, program.rows() - before), () -> handle(engine::executed));
            return;
        }
        long takes = world.millis(0.1, 20) + delay;
        delay = 0;
        world.after(
                takes,
                () -> handle(() -> {
                    work.run();
                    engine.executed();
                }));
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
