package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.espalier.engine.Cancel;
import org.espalier.engine.CancelledException;
import org.espalier.engine.DeviceLostException;
import org.espalier.engine.EngineException;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.NoMemoryException;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureWire;
import org.espalier.v1.CloseSession;
import org.espalier.v1.ForkSession;
import org.espalier.v1.Frame;
import org.espalier.v1.OpenSession;
import org.espalier.v1.Routing;
import org.espalier.v1.StepEnd;
import org.espalier.v1.StepEntry;
import org.espalier.v1.StepFrame;
import org.espalier.v1.TruncateSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Executes frames on a shard, on the engine's side of {@link EngineQueue}: one at a time. Whatever goes wrong becomes part of the frame that
 * follows: the failure of an entry where it is one session's own, that of the step where the engine does not say whose it is.
 */
final class ShardExecutor {

    private static final Logger LOG = LoggerFactory.getLogger(ShardExecutor.class);

    private final RingPlace place;
    private final LoadedProgram program;
    private final Exit exit;
    /** What a session's last command failed with, which its next step reports. */
    private final Map<Long, Failure> failedCommands = new HashMap<>();

    ShardExecutor(RingPlace place, LoadedProgram program, Exit exit) {
        this.place = place;
        this.program = program;
        this.exit = exit;
    }

    /** Executes a frame and returns the one that follows, if any does; throws nothing. */
    Optional<Frame.Builder> execute(Frame frame, Cancel cancel) {
        return FrameVisitor.visit(frame, new Execution(cancel));
    }

    /** Frees sessions; throws nothing. */
    void close(Set<Long> sessions) {
        sessions.forEach(this::close);
    }

    private void close(long session) {
        try {
            program.close(session);
        } catch (Throwable e) {
            LOG.error("session {} could not be closed", session, e);
        }
        exit.close(session);
        failedCommands.remove(session);
    }

    private final class Execution implements FrameVisitor<Optional<Frame.Builder>> {
        private final Cancel cancel;

        private Execution(Cancel cancel) {
            this.cancel = cancel;
        }

        @Override
        public Optional<Frame.Builder> open(OpenSession open) {
            long session = open.getSession();
            attempt(session, () -> {
                program.open(session, open.getMaxLength(), SessionEdits.of(open.getEditsList()));
                exit.open(open);
            });
            return exit.passed(Frame.newBuilder().setOpen(open));
        }

        @Override
        public Optional<Frame.Builder> truncate(TruncateSession truncate) {
            long session = truncate.getSession();
            int length = truncate.getLength();
            if (!truncate.getCheck()) {
                attempt(session, () -> {
                    program.truncate(session, length);
                    exit.truncate(session, length);
                });
                return exit.passed(Frame.newBuilder().setTruncate(truncate));
            }
            Optional<org.espalier.v1.Failure> refusal = truncate.hasRefusal()
                    ? Optional.of(truncate.getRefusal())
                    : refusal(() -> program.checkTruncate(session, length));
            TruncateSession.Builder further = truncate.toBuilder();
            refusal.ifPresent(further::setRefusal);
            return Optional.of(exit.asked(session, refusal, Frame.newBuilder().setTruncate(further)));
        }

        @Override
        public Optional<Frame.Builder> fork(ForkSession fork) {
            Optional<org.espalier.v1.Failure> refusal = fork.hasRefusal()
                    ? Optional.of(fork.getRefusal())
                    : refusal(() -> {
                        program.fork(fork.getFrom(), fork.getTo(), fork.getLength());
                        exit.fork(fork);
                    });
            ForkSession.Builder further = fork.toBuilder();
            refusal.ifPresent(further::setRefusal);
            return Optional.of(
                    exit.asked(fork.getTo(), refusal, Frame.newBuilder().setFork(further)));
        }

        @Override
        public Optional<Frame.Builder> close(CloseSession close) {
            ShardExecutor.this.close(close.getSession());
            return exit.passed(Frame.newBuilder().setClose(close));
        }

        @Override
        public Optional<Frame.Builder> step(StepFrame step) {
            return Optional.of(step.hasEnd() ? exit.ended(step, step.getEnd()) : compute(step, cancel));
        }

        @Override
        public Optional<Frame.Builder> other(Frame.BodyCase kind) {
            throw new IllegalStateException("no shard executes " + kind + " frames");
        }
    }

    private Frame.Builder compute(StepFrame asked, Cancel cancel) {
        StepFrame step = asked;
        try {
            cancel.check();
            if (step.getEntriesCount() == 0) {
                throw new EngineException("it has no entries");
            }
            step = withoutFailed(step);
            if (step.getEntriesList().stream().allMatch(StepEntry::hasFailure)) {
                return exit.computed(step, NOTHING, List.of());
            }
            StepResult result = program.run(toStep(step), Exchange.ALONE, cancel);
            step.getEntriesList().stream()
                    .filter(entry -> entry.getSnapshot() && !entry.hasFailure())
                    .forEach(entry -> snapshot(entry.getSession()));
            return exit.computed(step, result, routes(step, result));
        } catch (CancelledException e) {
            return exit.ended(step, StepEnd.newBuilder().setCancelled(true).build());
        } catch (Throwable e) {
            Failure failure = here(e, kind(e), "could not run step " + step.getStep());
            return exit.ended(
                    step,
                    StepEnd.newBuilder().setFailure(FailureWire.encode(failure)).build());
        }
    }

    /** What a step without rows yields. */
    private static final StepResult NOTHING =
            new StepResult(ByteBuffer.allocate(0), new float[0][], new int[0], null, null);

    /** The step with the failures of sessions that cannot go on here, and without their rows. */
    private StepFrame withoutFailed(StepFrame step) {
        if (step.getEntriesList().stream()
                .noneMatch(entry -> !entry.hasFailure() && failedCommands.containsKey(entry.getSession()))) {
            return step;
        }
        int width = program.program().hidden() * program.activationBytes();
        StepFrame.Builder left = step.toBuilder();
        int row = 0;
        for (int i = 0; i < step.getEntriesCount(); i++) {
            StepEntry entry = step.getEntries(i);
            Failure failed = failedCommands.get(entry.getSession());
            int rows = entry.getTokensCount();
            if (entry.hasFailure()) {
                continue;
            }
            if (failed == null) {
                row += rows;
                continue;
            }
            left.setEntries(i, entry.toBuilder().setFailure(FailureWire.encode(failed)));
            for (int route = 0; route < left.getRoutesCount(); route++) {
                left.setRoutes(route, RoutingFrames.without(left.getRoutes(route), row, rows));
            }
            ByteString activations = left.getActivations();
            if (!program.program().embedsTokens() && activations.size() >= (row + rows) * width) {
                left.setActivations(
                        activations.substring(0, row * width).concat(activations.substring((row + rows) * width)));
            }
        }
        return left.build();
    }

    private Step toStep(StepFrame step) {
        boolean embeds = program.program().embedsTokens();
        List<Step.Entry> entries = new ArrayList<>();
        int rows = 0;
        for (StepEntry entry : step.getEntriesList()) {
            if (entry.hasFailure()) {
                continue;
            }
            int[] tokens =
                    entry.getTokensList().stream().mapToInt(Integer::intValue).toArray();
            Step.Logits logits = exit.logits(entry);
            entries.add(
                    embeds
                            ? Step.Entry.ofTokens(entry.getSession(), entry.getPosition(), tokens, logits)
                            : Step.Entry.ofRows(entry.getSession(), entry.getPosition(), tokens.length, logits));
            rows += tokens.length;
        }
        Set<Step.Want> wants = step.getRouting() ? Set.of(Step.Want.ROUTING) : Set.of();
        if (embeds) {
            return new Step(entries, null, wants);
        }
        ByteBuffer activations = RoutingFrames.buffer(step.getActivations());
        long expected = (long) rows * program.program().hidden() * program.activationBytes();
        if (activations.remaining() != expected) {
            throw new EngineException("expected " + expected + " bytes of activations for " + rows + " rows, found "
                    + activations.remaining());
        }
        return new Step(entries, activations, wants);
    }

    private static List<Routing> routes(StepFrame step, StepResult result) {
        List<Routing> routes = new ArrayList<>(step.getRoutesList());
        if (step.getRouting() && result.routing() != null && result.routing().layers().length > 0) {
            routes.add(RoutingFrames.encode(result.routing()));
        }
        return routes;
    }

    /** One that cannot be taken ends no step: going back to it is refused. */
    private void snapshot(long session) {
        try {
            program.snapshot(session);
        } catch (DeviceLostException e) {
            throw e;
        } catch (EngineException e) {
            LOG.info("{}: {}", RingPlace.name(place.self()), e.getMessage());
        }
    }

    /** A command without an answer of its own. */
    private void attempt(long session, Runnable command) {
        try {
            command.run();
        } catch (Throwable e) {
            failedCommands.put(session, here(e, kind(e), "cannot go on with session " + session));
        }
    }

    private static Failure.Kind kind(Throwable error) {
        return error instanceof NoMemoryException ? Failure.Kind.EXHAUSTED : Failure.Kind.ENGINE_FAILED;
    }

    /** Why this node refuses a question; empty if it is done. */
    private Optional<org.espalier.v1.Failure> refusal(Runnable question) {
        try {
            question.run();
            return Optional.empty();
        } catch (Throwable e) {
            return Optional.of(FailureWire.encode(
                    failure(e, Failure.Kind.REFUSED).at(place.self().getNode(), RingPlace.name(place.self()))));
        }
    }

    private Failure here(Throwable error, Failure.Kind kindOfKnown, String what) {
        return failure(error, kindOfKnown).at(place.self().getNode(), RingPlace.name(place.self()) + " " + what);
    }

    static Failure failure(Throwable error, Failure.Kind kindOfKnown) {
        Failure failure = Failure.of(error, kindOfKnown);
        if (failure.kind() == Failure.Kind.INTERNAL) {
            LOG.error("a step or command of a session failed by a defect", error);
        }
        return failure;
    }
}
