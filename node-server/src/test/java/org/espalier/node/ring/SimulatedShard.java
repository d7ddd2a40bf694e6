package org.espalier.node.ring;

import java.util.List;
import java.util.Optional;
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
import org.espalier.node.service.FakeProgram;

/** A shard that a simulated node holds: one placement of one deployment, and the node's part in its ring. */
final class SimulatedShard implements RingPorts {

    private static final int CONTEXT = 4000;

    final RingPlace place;
    final FakeProgram program;
    final StageShard shard;
    final Member member;
    private final SimulatedNode node;
    private boolean served;

    SimulatedShard(SimulatedNode node, RingPlace place, EngineQueue engine) {
        this.node = node;
        this.place = place;
        this.program = new FakeProgram(
                place.self().getFirstLayer(),
                place.self().getEndLayer(),
                place.shards().get(place.shards().size() - 1).getEndLayer(),
                Float.BYTES,
                0);
        node.likeness.accept(program);
        this.shard = new FakeShard(node.network.fakes.load(program, new Faulty(program)), node.stepRows);
        this.member = new Member(place, shard, RingLimits.DEFAULT, engine, this);
    }

    /** Whether it has ever served. */
    boolean hasServed() {
        return served;
    }

    /** Whether nothing is left of any generation; one that is behind a hung engine goes once that is noticed. */
    boolean isAtRest() {
        return member.isIdle() && member.sessions() == 0;
    }

    /** As a real member on the agent's thread: what is thrown ends its ring. */
    void guarded(Runnable what) {
        try {
            what.run();
        } catch (Throwable e) {
            try {
                member.defect(e);
            } catch (OutOfMemoryError again) {
                // the next tick tries it again
            }
        }
    }

    private void log(String event) {
        node.network.log(node.name + " " + place.deployment() + " " + event);
    }

    @Override
    public long nanos() {
        return node.network.world.now();
    }

    @Override
    public FrameSink dial(FrameSource replies) {
        return node.network.dial(node, place.deployment(), place.next().getNode(), new Guarded(this, replies));
    }

    @Override
    public void defect(Throwable error) {
        node.network.thrown(node.name + " " + place.deployment(), error);
    }

    @Override
    public void broken(Failure why) {
        log("broken: " + why.message());
    }

    @Override
    public void gaveUp(Failure why) {
        log("gave up: " + why.message());
    }

    @Override
    public void joined(long incarnation) {
        served = true;
        log("serves epoch " + place.epoch() + ", incarnation " + incarnation);
    }

    /** A link's source whose defects are the ring's. */
    record Guarded(SimulatedShard shard, FrameSource source) implements FrameSource {
        @Override
        public void onFrame(org.espalier.v1.Frame frame) {
            shard.guarded(() -> source.onFrame(frame));
        }

        @Override
        public void onBytes() {
            shard.guarded(source::onBytes);
        }

        @Override
        public void onEnd(Optional<Failure> said, String reason) {
            shard.guarded(() -> source.onEnd(said, reason));
        }
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
            if (node.unopenable.contains(session)) {
                throw new EngineException("there is no memory for session " + session);
            }
            executor.open(session, maxLength, edits);
        }

        @Override
        public StepResult run(Step step, Exchange exchange, Cancel cancel) {
            cancel.check();
            Throwable error = node.nextStep;
            node.nextStep = null;
            if (error instanceof Error e) {
                throw e;
            }
            if (error instanceof RuntimeException e) {
                throw e;
            }
            if (step.entries().stream().anyMatch(entry -> node.poisoned.contains(entry.session()))) {
                throw new EngineException("op 3 went wrong");
            }
            return executor.run(step, exchange, cancel);
        }
    }

    private record FakeShard(LoadedProgram program, int stepRows) implements StageShard {
        @Override
        public int stepRows() {
            return stepRows;
        }

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
