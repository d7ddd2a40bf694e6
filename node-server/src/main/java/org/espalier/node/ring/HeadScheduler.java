package org.espalier.node.ring;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.espalier.DaemonThreads;
import org.espalier.engine.Step;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.failure.FailureWire;
import org.espalier.v1.CancelSession;
import org.espalier.v1.CloseSession;
import org.espalier.v1.Finished;
import org.espalier.v1.ForkSession;
import org.espalier.v1.Frame;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.OpenSession;
import org.espalier.v1.Routing;
import org.espalier.v1.SessionOutcome;
import org.espalier.v1.StepEntry;
import org.espalier.v1.StepFrame;
import org.espalier.v1.StepOutcome;
import org.espalier.v1.TruncateSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ring's only scheduler. It forms steps from all waiting generations, decode rows first, then prefill rows up to a chunk, and keeps
 * as many steps in flight as the ring has stages, never two with the same session. One thread owns everything here.
 */
final class HeadScheduler {

    /** The most rows of a step; a longer prompt takes several steps, between which other sessions decode. */
    static final int CHUNK = 256;

    /** The most rows of a step whose logits are all computed: 64 x V floats at the last node, 32 MB for V = 128k. */
    static final int SCORED = 64;

    /** The most generations at once, those included that wait for their first step. */
    static final int MAX_SESSIONS = 512;

    private static final Logger LOG = LoggerFactory.getLogger(HeadScheduler.class);

    private record Flight(List<HeadSession> sessions, List<StepEntry> entries) {}

    private final String node;
    private final int stages;
    private final Consumer<Frame> stage;
    private final RingPlace place;
    private final Consumer<Failure> broken;
    private final Map<Long, HeadSession> sessions = new LinkedHashMap<>();
    private final Deque<HeadSession> decoding = new ArrayDeque<>();
    private final Deque<HeadSession> prefilling = new ArrayDeque<>();
    private final Map<Long, Flight> flights = new HashMap<>();
    /** What to do with the nodes' answer to a fork or a truncation, by session; the answer is why one refuses, or empty. */
    private final Map<Long, Consumer<Optional<Failure>>> asked = new HashMap<>();

    private final ExecutorService thread = Executors.newSingleThreadExecutor(new DaemonThreads("espalier-scheduler"));
    private Failure failure;
    /** Why nothing runs any more, null before that; set before the thread refuses work. */
    private volatile Failure closed;

    private long nextStep;
    private volatile int generations;

    /**
     * @param stage takes the frames of the head's own stage
     * @param broken is told why the ring cannot continue: an answer that was never asked for, or a defect here
     */
    HeadScheduler(RingPlace place, Consumer<Frame> stage, Consumer<Failure> broken) {
        this.node = place.self().getNode();
        this.stages = place.shards().size();
        this.stage = stage;
        this.place = place;
        this.broken = broken;
    }

    /** How many run or wait for their first step. */
    int generations() {
        return generations;
    }

    void submit(HeadSession session) {
        start(session, () -> {
            if (refuses(session)) {
                return;
            }
            sessions.put(session.id, session);
            prefilling.add(session);
        });
    }

    /** Right before its first step, so that one that is cancelled while it waits makes no frames. */
    private void open(HeadSession session) {
        session.setOpened();
        stage.accept(Frame.newBuilder()
                .setOpen(OpenSession.newBuilder()
                        .setSession(session.id)
                        .setMaxLength(session.maxLength())
                        .setSampling(session.request.getSampling())
                        .addAllEdits(session.request.getEditsList()))
                .build());
    }

    /** As {@link #submit}, in a copy of the first {@code length} rows of another generation's session. */
    void fork(HeadSession session, long from, int length) {
        start(session, () -> {
            if (refuses(session)) {
                return;
            }
            HeadSession source = sessions.get(from);
            try {
                if (source == null) {
                    throw new IllegalArgumentException("session " + from + " has no running generation");
                }
                session.copy(source, length);
            } catch (IllegalArgumentException e) {
                session.replies.onError(FailureStatus.of(refusal(e.getMessage())));
                return;
            }
            sessions.put(session.id, session);
            session.setOpened();
            ask(
                    session,
                    refusal -> forked(session, refusal),
                    Frame.newBuilder()
                            .setFork(ForkSession.newBuilder()
                                    .setFrom(from)
                                    .setTo(session.id)
                                    .setLength(length)
                                    .setSampling(session.request.getSampling())));
        });
    }

    /** Whoever looked the deployment up just before it went still gets an answer. */
    private void start(HeadSession session, Runnable event) {
        if (!run(event)) {
            session.replies.onError(FailureStatus.of(closed));
        }
    }

    private void forked(HeadSession session, Optional<Failure> refusal) {
        if (refusal.isEmpty()) {
            ready(session);
            return;
        }
        remove(session, refusal.get());
        closeSession(session);
        session.replies.onError(FailureStatus.of(refusal.get()));
    }

    private boolean refuses(HeadSession session) {
        if (failure != null) {
            session.replies.onError(FailureStatus.of(failure));
        } else if (sessions.size() >= MAX_SESSIONS) {
            session.replies.onError(FailureStatus.of(new Failure(
                    node,
                    Failure.Kind.EXHAUSTED,
                    "node " + node + " has " + MAX_SESSIONS
                            + " generations running or waiting: try again when some have ended")));
        } else {
            return false;
        }
        return true;
    }

    private void violation(String reason) {
        broken.accept(RingFailure.violation(place.previous(), reason));
    }

    private Failure refusal(String why) {
        return new Failure(node, Failure.Kind.REFUSED, why);
    }

    /**
     * Truncates a session between two of its steps.
     *
     * @return completes on the scheduler's thread, exceptionally if a node refuses or the generation ends first
     */
    CompletableFuture<Void> truncate(long id, int length) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        boolean runs = run(() -> {
            HeadSession session = sessions.get(id);
            if (session == null) {
                done.completeExceptionally(
                        refusal("session " + id + " has no running generation").exception());
            } else if (session.truncation() != null) {
                done.completeExceptionally(
                        refusal("session " + id + " is already being truncated").exception());
            } else {
                session.setTruncation(new HeadSession.Truncation(length, done));
                if (decoding.remove(session) || prefilling.remove(session)) {
                    ready(session);
                }
            }
        });
        if (!runs) {
            done.completeExceptionally(closed.exception());
        }
        return done;
    }

    /** Truncates a session between two steps if that was asked for, then queues it for its next step. */
    private void ready(HeadSession session) {
        HeadSession.Truncation truncation = session.truncation();
        if (truncation == null) {
            (session.decoding() ? decoding : prefilling).add(session);
        } else if (truncation.length() < 0 || truncation.length() > session.position()) {
            truncated(
                    session,
                    Optional.of(refusal("session " + session.id + " has " + session.position()
                            + " rows and cannot be truncated to " + truncation.length())));
        } else if (!session.opened()) {
            session.endTruncation(Optional.empty()); // to the nothing that it has
            ready(session);
        } else {
            ask(session, refusal -> truncated(session, refusal), truncateFrame(session, true));
        }
    }

    private void truncated(HeadSession session, Optional<Failure> refusal) {
        if (refusal.isEmpty()) {
            stage.accept(truncateFrame(session, false).build());
        }
        session.endTruncation(refusal);
        ready(session);
    }

    private static Frame.Builder truncateFrame(HeadSession session, boolean check) {
        return Frame.newBuilder()
                .setTruncate(TruncateSession.newBuilder()
                        .setSession(session.id)
                        .setLength(session.truncation().length())
                        .setCheck(check));
    }

    private void ask(HeadSession session, Consumer<Optional<Failure>> then, Frame.Builder question) {
        asked.put(session.id, then);
        stage.accept(question.build());
    }

    /** All nodes have answered a fork or a truncation; has no effect where its session has ended in the meantime. */
    void answered(SessionOutcome outcome) {
        run(() -> {
            Consumer<Optional<Failure>> then = asked.remove(outcome.getSession());
            if (then != null) {
                then.accept(
                        outcome.hasRefusal()
                                ? Optional.of(FailureWire.decode(outcome.getRefusal()))
                                : Optional.empty());
            }
        });
    }

    private boolean remove(HeadSession session, Failure why) {
        asked.remove(session.id);
        session.endTruncation(Optional.of(why));
        return sessions.remove(session.id) != null;
    }

    /** Ends a generation's work on every node; harmless when it is over. */
    void cancel(long id) {
        run(() -> cancelNow(id));
    }

    /** Ends all generations of a client that went away. */
    void cancelClient(String client) {
        run(() -> List.copyOf(sessions.values()).stream()
                .filter(session -> session.request.getClient().equals(client))
                .forEach(session -> {
                    cancelNow(session.id);
                    session.replies.onError(FailureStatus.of(
                            new Failure(node, Failure.Kind.CANCELLED, "the client's attachment broke")));
                }));
    }

    /** The last node's answer to a step. */
    void outcome(StepOutcome outcome) {
        run(() -> {
            Flight flight = flights.remove(outcome.getStep());
            if (flight == null) {
                violation("received an outcome of step " + outcome.getStep() + ", which is not in flight");
            } else if (outcome.hasEnd()) {
                end(flight, outcome);
            } else {
                advance(flight, outcome);
            }
        });
    }

    /** Ends all generations with the failure; later ones fail with it too. */
    void fail(Failure cause) {
        run(() -> {
            if (failure == null) {
                failure = cause;
                List.copyOf(sessions.values()).forEach(session -> {
                    remove(session, cause);
                    session.replies.onError(FailureStatus.of(cause));
                });
                decoding.clear();
                prefilling.clear();
                flights.clear();
            }
        });
    }

    /** Waits until no generation is being worked on, so that the model's tokenizer can be closed. Later ones fail with {@code why}. */
    void close(Failure why) {
        closed = why;
        thread.shutdown();
        try {
            thread.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return whether it will run */
    private boolean run(Runnable event) {
        try {
            thread.execute(() -> {
                try {
                    event.run();
                    schedule();
                    generations = sessions.size();
                } catch (Throwable e) {
                    LOG.error("the scheduler failed by a defect", e);
                    broken.accept(new Failure(
                            node, Failure.Kind.INTERNAL, "the scheduler of node " + node + " failed: " + e));
                }
            });
            return true;
        } catch (RejectedExecutionException e) {
            return false; // closed: its generations have failed
        }
    }

    private void schedule() {
        while (failure == null && flights.size() < stages && !(decoding.isEmpty() && prefilling.isEmpty())) {
            List<HeadSession> chosen = new ArrayList<>();
            List<StepEntry> entries = new ArrayList<>();
            // Sessions are spread over the stages: one step with all of them would leave the other stages idle.
            int share = (sessions.size() + stages - 1) / stages;
            int rows = 0;
            while (!decoding.isEmpty() && rows < Math.min(share, CHUNK)) {
                rows += add(decoding.remove(), 1, chosen, entries);
            }
            int scored = 0;
            while (!prefilling.isEmpty() && rows < CHUNK) {
                boolean scoring = prefilling.element().scoring();
                int room = scoring ? Math.min(CHUNK - rows, SCORED - scored) : CHUNK - rows;
                if (room == 0) {
                    break; // it is the first of the next step
                }
                int added = add(prefilling.remove(), room, chosen, entries);
                rows += added;
                scored += scoring ? added : 0;
            }
            boolean routing = chosen.stream().anyMatch(session -> session.request.getRouting());
            long step = nextStep++;
            flights.put(step, new Flight(chosen, entries));
            stage.accept(Frame.newBuilder()
                    .setStep(StepFrame.newBuilder()
                            .setStep(step)
                            .addAllEntries(entries)
                            .setRouting(routing))
                    .build());
        }
    }

    private int add(HeadSession session, int room, List<HeadSession> chosen, List<StepEntry> entries) {
        if (!session.opened()) {
            open(session);
        }
        int rows = session.nextRows(room);
        chosen.add(session);
        entries.add(session.entry(rows));
        return rows;
    }

    private void advance(Flight flight, StepOutcome outcome) {
        try {
            int row = 0;
            int answer = 0;
            for (int i = 0; i < flight.entries.size(); i++) {
                StepEntry entry = flight.entries.get(i);
                HeadSession session = flight.sessions.get(i);
                boolean answered = TailSampler.logits(entry) != Step.Logits.NONE;
                if (answered && outcome.getSampled(answer).getSession() != session.id) {
                    throw new IllegalArgumentException(
                            "received an answer for a session that step " + outcome.getStep() + " did not ask for");
                }
                if (sessions.containsKey(session.id)) {
                    int repeated = session.repeated(entry);
                    int rows = entry.getTokensCount() - repeated;
                    Optional<Routing> routing = session.request.getRouting() && outcome.getRoutesCount() > 0 && rows > 0
                            ? Optional.of(RoutingFrames.slice(
                                    outcome.getRoutesList(), row + repeated, rows, entry.getPosition() + repeated))
                            : Optional.empty();
                    session.advance(entry, routing);
                    if (answered) {
                        session.scored(entry, repeated, outcome.getSampled(answer));
                    }
                    Optional<Finished> finished = entry.getSample() || entry.getLogits()
                            ? session.sampled(entry, outcome.getSampled(answer))
                            : session.unanswered();
                    continueOrFinish(session, finished);
                }
                row += entry.getTokensCount();
                answer += answered ? 1 : 0;
            }
        } catch (RuntimeException e) {
            violation("the outcome of step " + outcome.getStep() + " cannot be used: " + e.getMessage());
        }
    }

    private void continueOrFinish(HeadSession session, Optional<Finished> finished) {
        if (finished.isEmpty()) {
            ready(session);
            return;
        }
        remove(session, refusal("the generation of session " + session.id + " has ended"));
        closeSession(session);
        session.replies.onNext(
                GenerateReply.newBuilder().setFinished(finished.get()).build());
        session.replies.onCompleted();
    }

    private void end(Flight flight, StepOutcome outcome) {
        Failure why = FailureWire.decode(outcome.getEnd().getFailure());
        for (HeadSession session : flight.sessions) {
            if (remove(session, why)) {
                closeSession(session);
                session.replies.onError(FailureStatus.of(why));
            }
        }
    }

    private void cancelNow(long id) {
        HeadSession session = sessions.get(id);
        if (session != null) {
            remove(
                    session,
                    new Failure(
                            node,
                            Failure.Kind.CANCELLED,
                            "the generation of session " + session.id + " was cancelled"));
            decoding.remove(session);
            prefilling.remove(session);
            if (session.opened()) {
                stage.accept(Frame.newBuilder()
                        .setCancel(CancelSession.newBuilder().setSession(id))
                        .build());
            }
            closeSession(session);
        }
    }

    private void closeSession(HeadSession session) {
        if (session.opened()) {
            stage.accept(Frame.newBuilder()
                    .setClose(CloseSession.newBuilder().setSession(session.id))
                    .build());
        }
    }
}
