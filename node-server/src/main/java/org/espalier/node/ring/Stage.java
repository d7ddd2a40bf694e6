package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.espalier.engine.Cancel;
import org.espalier.engine.CancelledException;
import org.espalier.engine.DeviceLostException;
import org.espalier.engine.EngineException;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureWire;
import org.espalier.v1.ForkSession;
import org.espalier.v1.Frame;
import org.espalier.v1.OpenSession;
import org.espalier.v1.Routing;
import org.espalier.v1.Sampled;
import org.espalier.v1.SessionOutcome;
import org.espalier.v1.StepEnd;
import org.espalier.v1.StepEntry;
import org.espalier.v1.StepFrame;
import org.espalier.v1.StepOutcome;
import org.espalier.v1.TruncateSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A shard's part in the ring: executes the frames of its one inbound stream in their order on the step thread and sends each on when
 * it is done. Only {@code CancelSession} overtakes: it takes effect, and travels on, as it arrives.
 */
final class Stage {

    private static final Logger LOG = LoggerFactory.getLogger(Stage.class);

    private record Running(Set<Long> sessions, Cancel cancel) {}

    private final RingPlace place;
    private final int maxWaiting;
    private final LoadedProgram program;
    private final StepThread steps;
    private final FrameSink next;
    private final TailSampler tail = new TailSampler();
    private final Set<Long> sessions = ConcurrentHashMap.newKeySet();
    private final Set<Long> cancelled = ConcurrentHashMap.newKeySet();
    private final Map<Long, Failure> failedOperations = new HashMap<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile Running running;
    private volatile boolean stopped;

    Stage(RingPlace place, StageShard shard, StepThread steps, FrameSink next) {
        this.place = place;
        this.maxWaiting = maxWaiting(place.shards().size());
        this.program = shard.program();
        this.steps = steps;
        this.next = next;
    }

    /**
     * More frames than a head ever keeps waiting, so that a flood breaks the ring and does not exhaust memory. A head has at most one step in
     * flight for each stage, each with the opening of at most
     * {@link HeadScheduler#CHUNK} sessions before it, and it closes each session once: about half of this.
     */
    private static int maxWaiting(int stages) {
        return 4 * HeadScheduler.MAX_SESSIONS * stages;
    }

    /** Sessions that are open here or about to be opened. */
    int sessions() {
        return sessions.size();
    }

    /**
     * Accepts the next frame; never blocks.
     *
     * @throws IllegalArgumentException for a frame that is not meant for a stage
     */
    void accept(Frame frame) {
        if (stopped) {
            return;
        }
        switch (frame.getBodyCase()) {
            case CANCEL -> {
                cancel(frame);
                return;
            }
            case OPEN, FORK, TRUNCATE, CLOSE, STEP -> {}
            default -> throw new IllegalArgumentException(frame.getBodyCase() + " frames are not meant for a stage");
        }
        if (waiting.incrementAndGet() > maxWaiting) {
            waiting.decrementAndGet();
            throw new IllegalArgumentException("more than " + maxWaiting + " frames are waiting");
        }
        if (frame.hasOpen()) {
            sessions.add(frame.getOpen().getSession());
        } else if (frame.hasFork()) {
            sessions.add(frame.getFork().getTo());
        }
        steps.execute(() -> {
            waiting.decrementAndGet();
            if (!stopped) {
                execute(frame);
            }
        });
    }

    /** Ends the running step, drops what is waiting and frees all sessions. */
    void stop() {
        stopped = true;
        Running step = running;
        if (step != null) {
            step.cancel().set();
        }
        steps.execute(() -> {
            for (long session : sessions) {
                program.close(session);
            }
            sessions.clear();
        });
    }

    private void cancel(Frame frame) {
        long session = frame.getCancel().getSession();
        if (sessions.contains(session)) {
            cancelled.add(session);
            Running step = running;
            if (step != null && cancelled.containsAll(step.sessions())) {
                step.cancel().set();
            }
        }
        if (!place.isLast()) {
            next.send(frame.toBuilder());
        }
    }

    private void execute(Frame frame) {
        switch (frame.getBodyCase()) {
            case OPEN -> open(frame.getOpen());
            case TRUNCATE -> {
                truncate(frame.getTruncate());
                return;
            }
            case FORK -> {
                fork(frame.getFork());
                return;
            }
            case CLOSE -> close(frame.getClose().getSession());
            default -> {
                step(frame.getStep());
                return;
            }
        }
        if (!place.isLast()) {
            next.send(frame.toBuilder());
        }
    }

    private void open(OpenSession open) {
        attempt(open.getSession(), () -> {
            program.open(open.getSession(), open.getMaxLength(), SessionEdits.of(open.getEditsList()));
            tail.open(open.getSession(), open.getSampling());
        });
    }

    private void truncate(TruncateSession truncate) {
        long session = truncate.getSession();
        int length = truncate.getLength();
        if (!truncate.getCheck()) {
            attempt(session, () -> {
                program.truncate(session, length);
                tail.truncate(session, length);
            });
            if (!place.isLast()) {
                next.send(Frame.newBuilder().setTruncate(truncate));
            }
            return;
        }
        Optional<org.espalier.v1.Failure> refusal = truncate.hasRefusal()
                ? Optional.of(truncate.getRefusal())
                : refusal(() -> program.checkTruncate(session, length));
        TruncateSession.Builder further = truncate.toBuilder();
        refusal.ifPresent(further::setRefusal);
        answer(session, refusal, Frame.newBuilder().setTruncate(further));
    }

    private void fork(ForkSession fork) {
        Optional<org.espalier.v1.Failure> refusal = fork.hasRefusal()
                ? Optional.of(fork.getRefusal())
                : refusal(() -> {
                    program.fork(fork.getFrom(), fork.getTo(), fork.getLength());
                    tail.fork(fork.getFrom(), fork.getTo(), fork.getLength(), fork.getSampling());
                });
        ForkSession.Builder further = fork.toBuilder();
        refusal.ifPresent(further::setRefusal);
        answer(fork.getTo(), refusal, Frame.newBuilder().setFork(further));
    }

    /** Why this node refuses an operation; empty if it is done. */
    private Optional<org.espalier.v1.Failure> refusal(Runnable operation) {
        try {
            operation.run();
            return Optional.empty();
        } catch (Throwable e) {
            return Optional.of(FailureWire.encode(
                    failure(e, Failure.Kind.REFUSED).at(place.self().getNode(), RingPlace.name(place.self()))));
        }
    }

    /** Passes the question on to the next node; the last one tells the head what all have answered. */
    private void answer(long session, Optional<org.espalier.v1.Failure> refusal, Frame.Builder further) {
        if (place.isLast()) {
            SessionOutcome.Builder outcome = SessionOutcome.newBuilder().setSession(session);
            refusal.ifPresent(outcome::setRefusal);
            next.send(Frame.newBuilder().setSession(outcome));
        } else {
            next.send(further);
        }
    }

    private void close(long session) {
        program.close(session);
        tail.close(session);
        failedOperations.remove(session);
        cancelled.remove(session);
        sessions.remove(session);
    }

    /** A session operation has no answer of its own: its failure is reported by the next step of the session. */
    private void attempt(long session, Runnable operation) {
        try {
            operation.run();
        } catch (Throwable e) {
            failedOperations.put(session, failure(e, Failure.Kind.ENGINE_FAILED));
        }
    }

    private void step(StepFrame frame) {
        if (frame.hasEnd()) {
            end(frame, frame.getEnd());
            return;
        }
        Set<Long> ids =
                frame.getEntriesList().stream().map(StepEntry::getSession).collect(Collectors.toSet());
        Cancel cancel = new Cancel();
        running = new Running(ids, cancel);
        try {
            if (stopped || !ids.isEmpty() && cancelled.containsAll(ids)) {
                cancel.set();
            }
            cancel.check();
            if (ids.isEmpty()) {
                throw new EngineException("it has no entries");
            }
            for (long id : ids) {
                if (failedOperations.containsKey(id)) {
                    throw failedOperations.get(id).exception();
                }
            }
            StepResult result = program.run(toStep(frame), Exchange.ALONE, cancel);
            frame.getEntriesList().stream()
                    .filter(StepEntry::getSnapshot)
                    .forEach(entry -> snapshot(entry.getSession()));
            advance(frame, result);
        } catch (CancelledException e) {
            end(frame, StepEnd.newBuilder().setCancelled(true).build());
        } catch (Throwable e) {
            Failure failure = failure(e, Failure.Kind.ENGINE_FAILED)
                    .at(
                            place.self().getNode(),
                            RingPlace.name(place.self()) + " could not run step " + frame.getStep());
            end(
                    frame,
                    StepEnd.newBuilder().setFailure(FailureWire.encode(failure)).build());
        } finally {
            running = null;
        }
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

    private Step toStep(StepFrame frame) {
        List<Step.Entry> entries = new ArrayList<>();
        int rows = 0;
        for (StepEntry entry : frame.getEntriesList()) {
            int[] tokens =
                    entry.getTokensList().stream().mapToInt(Integer::intValue).toArray();
            Step.Logits logits = place.isLast() ? TailSampler.logits(entry) : Step.Logits.NONE;
            entries.add(
                    place.isHead()
                            ? Step.Entry.ofTokens(entry.getSession(), entry.getPosition(), tokens, logits)
                            : Step.Entry.ofRows(entry.getSession(), entry.getPosition(), tokens.length, logits));
            rows += tokens.length;
        }
        if (place.isHead()) {
            return new Step(entries, null, wants(frame));
        }
        ByteBuffer activations = frame.getActivations().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        long expected = (long) rows * program.program().hidden() * program.activationBytes();
        if (activations.remaining() != expected) {
            throw new EngineException("expected " + expected + " bytes of activations for " + rows + " rows, found "
                    + activations.remaining());
        }
        return new Step(entries, activations, wants(frame));
    }

    private static Set<Step.Want> wants(StepFrame frame) {
        return frame.getRouting() ? Set.of(Step.Want.ROUTING) : Set.of();
    }

    private void advance(StepFrame frame, StepResult result) {
        List<Routing> routes = new ArrayList<>(frame.getRoutesList());
        if (frame.getRouting() && result.routing() != null && result.routing().layers().length > 0) {
            routes.add(RoutingFrames.encode(result.routing()));
        }
        if (place.isLast()) {
            next.send(Frame.newBuilder()
                    .setOutcome(StepOutcome.newBuilder()
                            .setStep(frame.getStep())
                            .addAllSampled(sample(frame, result.logits()))
                            .addAllRoutes(routes)));
        } else {
            // Copied: the engine may reuse its buffer for the next step while gRPC is still writing.
            next.send(Frame.newBuilder()
                    .setStep(frame.toBuilder()
                            .setActivations(
                                    ByteString.copyFrom(result.activations().duplicate()))
                            .clearRoutes()
                            .addAllRoutes(routes)));
        }
    }

    private List<Sampled> sample(StepFrame frame, float[][] logits) {
        List<Sampled> sampled = new ArrayList<>();
        int row = 0;
        for (StepEntry entry : frame.getEntriesList()) {
            tail.advance(entry);
            int rows = switch (TailSampler.logits(entry)) {
                case NONE -> 0;
                case LAST -> 1;
                case ALL -> entry.getTokensCount();
            };
            if (rows > 0) {
                sampled.add(tail.answer(entry, Arrays.asList(logits).subList(row, row + rows)));
            }
            row += rows;
        }
        return sampled;
    }

    private void end(StepFrame frame, StepEnd end) {
        if (place.isLast()) {
            next.send(Frame.newBuilder()
                    .setOutcome(
                            StepOutcome.newBuilder().setStep(frame.getStep()).setEnd(end)));
        } else {
            next.send(Frame.newBuilder()
                    .setStep(frame.toBuilder().clearActivations().clearRoutes().setEnd(end)));
        }
    }

    private static Failure failure(Throwable error, Failure.Kind kindOfKnown) {
        Failure failure = Failure.of(error, kindOfKnown);
        if (failure.kind() == Failure.Kind.INTERNAL) {
            LOG.error("a step or session operation failed by a defect", error);
        }
        return failure;
    }
}
