package org.espalier.node.ring;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.espalier.engine.Step;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureWire;
import org.espalier.v1.CancelSession;
import org.espalier.v1.CloseSession;
import org.espalier.v1.Finished;
import org.espalier.v1.Frame;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.OpenSession;
import org.espalier.v1.Routing;
import org.espalier.v1.Sampled;
import org.espalier.v1.SessionOutcome;
import org.espalier.v1.StageProgress;
import org.espalier.v1.StepEntry;
import org.espalier.v1.StepOutcome;

/**
 * The ring's only scheduler. It forms steps from all ready generations and keeps as many in flight as the ring has stages, never two with the
 * same session.
 */
final class Head implements Role {

    /** A generation's client hears something at least each second; ticks come each 0.5 s. */
    private static final long QUIET = TimeUnit.MILLISECONDS.toNanos(600);

    /** Where the frames of the head's own stage go, and why the ring cannot continue. */
    interface Ring {
        void send(Frame frame);

        /** An answer that was never asked for, or a step that does not come back. */
        void broken(Failure why);
    }

    private static final Set<Failure.Kind> OF_MEMORY = EnumSet.of(Failure.Kind.EXHAUSTED, Failure.Kind.OUT_OF_MEMORY);

    private final RingPlace place;
    private final String node;
    private final int stages;
    private final Ring ring;
    private final LongSupplier nanos;

    /** Generations that run, by session. */
    private final Map<Long, HeadSession> sessions = new LinkedHashMap<>();

    private final Admission admission;
    private final Turns turns = new Turns();
    private final StepForming forming;
    private final Unread unread;
    private final Answers answers = new Answers();

    private final Map<Long, Flight> flights = new LinkedHashMap<>();
    private final Questions questions;

    private Failure failure;
    private long nextStep;
    private final WatchClock watched;
    /** When the last outcome came, or the first step left, by the watch's clock. */
    private long progress;

    Head(RingPlace place, RingLimits limits, StepTimes times, LongSupplier nanos, Ring ring) {
        this.place = place;
        this.node = place.self().getNode();
        this.stages = place.shards().size();
        this.admission = new Admission(limits);
        this.unread = new Unread(limits);
        this.forming = new StepForming(turns, times, stages);
        this.nanos = nanos;
        this.ring = ring;
        this.watched = new WatchClock(nanos.getAsLong());
        this.questions = new Questions(ring::send, watched::now);
    }

    @Override
    public boolean begins() {
        return true;
    }

    @Override
    public int generations() {
        return admission.running() + admission.waiting();
    }

    /** The last node's answers. */
    @Override
    public void accept(Frame frame) {
        FrameVisitor.visit(frame, answers);
        schedule();
    }

    @Override
    public void submit(HeadSession session) {
        if (failure != null) {
            session.replies.fail(failure);
        } else if (admission.isFull(session)) {
            session.replies.fail(exhausted());
        } else {
            admission.await(session);
            schedule();
        }
    }

    private Failure exhausted() {
        return new Failure(
                node,
                Failure.Kind.EXHAUSTED,
                "node " + node + " has " + admission.running() + " generations running and " + admission.waiting()
                        + " waiting: try again when some have ended");
    }

    private void admit() {
        Optional<HeadSession> next;
        while ((next = admission.next()).isPresent()) {
            HeadSession session = next.get();
            sessions.put(session.id, session);
            ready(session);
        }
    }

    /** Right before its first step, so that one that is cancelled while it waits makes no frames. */
    private void open(HeadSession session) {
        session.setOpened();
        ring.send(Frame.newBuilder()
                .setOpen(OpenSession.newBuilder()
                        .setSession(session.id)
                        .setMaxLength(session.maxLength())
                        .setSampling(session.request.getSampling())
                        .addAllEdits(session.request.getEditsList()))
                .build());
    }

    @Override
    public void fork(HeadSession session, long from, int length) {
        if (failure != null) {
            session.replies.fail(failure);
            return;
        }
        if (!admission.mayRun(session.connection)) {
            session.replies.fail(exhausted());
            return;
        }
        HeadSession source = sessions.get(from);
        try {
            if (source == null) {
                throw new IllegalArgumentException("session " + from + " has no running generation");
            }
            session.copy(source, length);
        } catch (IllegalArgumentException e) {
            session.replies.fail(refusal(e.getMessage()));
            return;
        }
        sessions.put(session.id, session);
        admission.run(session);
        session.setOpened();
        questions.fork(session, from, length, refusal -> forked(session, refusal));
    }

    private void forked(HeadSession session, Optional<Failure> refusal) {
        refusal.ifPresentOrElse(why -> end(session, why), () -> ready(session));
    }

    /** Ends a generation that failed, here and on all nodes. Its client is told first: if that fails, the ring does, and tells it. */
    private void end(HeadSession session, Failure why) {
        if (find(session.id) == session) {
            session.replies.fail(why);
            remove(session, why);
            closeSession(session);
        }
    }

    private Failure refusal(String why) {
        return new Failure(node, Failure.Kind.REFUSED, why);
    }

    @Override
    public void truncate(long id, int length, CompletableFuture<Void> done) {
        HeadSession session = find(id);
        if (failure != null) {
            done.completeExceptionally(failure.exception());
        } else if (session == null) {
            done.completeExceptionally(
                    refusal("session " + id + " has no running generation").exception());
        } else if (session.truncation() != null) {
            done.completeExceptionally(
                    refusal("session " + id + " is already being truncated").exception());
        } else {
            session.setTruncation(new HeadSession.Truncation(length, done));
            if (turns.remove(session) || unread.remove(session)) {
                ready(session);
            }
        }
        schedule();
    }

    /** Truncates a session between two steps if that was asked for, then queues it for its next step. */
    private void ready(HeadSession session) {
        HeadSession.Truncation truncation = session.truncation();
        if (truncation == null) {
            queue(session);
        } else if (truncation.length() < 0 || truncation.length() > session.position()) {
            session.endTruncation(Optional.of(refusal("session " + session.id + " has " + session.position()
                    + " rows and cannot be truncated to " + truncation.length())));
            ready(session);
        } else if (!session.opened()) {
            session.endTruncation(Optional.empty()); // to the nothing that it has
            ready(session);
        } else {
            questions.truncate(session, truncation.length(), refusal -> {
                session.endTruncation(refusal);
                ready(session);
            });
        }
    }

    private void queue(HeadSession session) {
        if (unread.isTooMuch(session)) {
            unread.add(session, nanos.getAsLong());
        } else {
            turns.add(session);
        }
    }

    @Override
    public void ready(long id) {
        HeadSession session = sessions.get(id);
        if (session != null && unread.remove(session)) {
            queue(session);
            schedule();
        }
    }

    private HeadSession find(long id) {
        HeadSession running = sessions.get(id);
        return running != null ? running : admission.findWaiting(id).orElse(null);
    }

    private boolean remove(HeadSession session, Failure why) {
        questions.forget(session.id);
        session.endTruncation(Optional.of(why));
        unread.remove(session);
        turns.remove(session);
        if (sessions.remove(session.id) != null) {
            admission.ended(session);
            return true;
        }
        return admission.remove(session);
    }

    /** Harmless when it is over. */
    @Override
    public void cancel(long id) {
        HeadSession session = find(id);
        if (session != null) {
            cancel(
                    session,
                    new Failure(node, Failure.Kind.CANCELLED, "the generation of session " + id + " was cancelled"));
            schedule();
        }
    }

    private void cancel(HeadSession session, Failure why) {
        remove(session, why);
        if (session.opened()) {
            ring.send(Frame.newBuilder()
                    .setCancel(CancelSession.newBuilder().setSession(session.id))
                    .build());
        }
        closeSession(session);
    }

    @Override
    public void cancelClient(String client, String connection) {
        Failure why = new Failure(node, Failure.Kind.CANCELLED, "the client's attachment broke");
        all().stream()
                .filter(session -> session.request.getClient().equals(client) && session.connection.equals(connection))
                .forEach(session -> {
                    session.replies.fail(why);
                    cancel(session, why);
                });
        schedule();
    }

    private List<HeadSession> all() {
        List<HeadSession> all = admission.inOrder();
        all.addAll(sessions.values());
        return all;
    }

    private final class Answers implements FrameVisitor<Void> {

        /** To a step. */
        @Override
        public Void outcome(StepOutcome outcome) {
            if (flights.isEmpty() || flights.keySet().iterator().next() != outcome.getStep()) {
                throw new IllegalArgumentException("received an outcome of step " + outcome.getStep()
                        + ", expected one of the first of the steps " + flights.keySet());
            }
            Flight flight = flights.remove(outcome.getStep());
            progress = watched.now();
            if (outcome.hasEnd()) {
                ended(flight, outcome);
            } else {
                advance(flight, outcome);
            }
            return null;
        }

        /** To a question: all nodes have answered. */
        @Override
        public Void session(SessionOutcome outcome) {
            questions.answered(outcome);
            return null;
        }

        @Override
        public Void other(Frame.BodyCase kind) {
            throw new IllegalArgumentException(kind + " frames are not meant for the head");
        }
    }

    /** Ends all generations with the failure; later ones fail with it too, until the ring serves again. */
    @Override
    public void fail(Failure cause) {
        failure = cause;
        for (HeadSession session : all()) {
            session.replies.fail(cause);
            remove(session, cause);
        }
        flights.clear();
    }

    @Override
    public void serve(long kvRows, long kvSessionRows, int stepRows) {
        admission.setRows(kvRows, kvSessionRows);
        forming.setMost(stepRows);
        failure = null;
    }

    @Override
    public void tick(List<StageProgress> stagesProgress) {
        long now = nanos.getAsLong();
        List<HeadSession> queue = admission.inOrder();
        for (int i = 0; i < queue.size(); i++) {
            queue.get(i).keepAlive(now - QUIET, i + 1);
        }
        sessions.values().forEach(session -> session.keepAlive(now - QUIET, 0));
        unread.overdue(now).forEach(session -> end(session, unread.failure(session, node)));
        watched.tick(now, stagesProgress.stream().anyMatch(StageProgress::getBehind));
        Watch.overdue(place, flights, watched.now() - progress, questions.oldest(watched.now()), stagesProgress)
                .ifPresent(ring::broken);
        schedule();
    }

    private void schedule() {
        if (failure != null) {
            return;
        }
        admit();
        while (flights.size() < stages && !turns.isEmpty()) {
            Flight flight = forming.next(isShared(), sessions.size());
            flight.sessions().stream().filter(session -> !session.opened()).forEach(this::open);
            if (flights.isEmpty()) {
                progress = watched.now();
            }
            flights.put(nextStep, flight);
            ring.send(Frame.newBuilder().setStep(flight.frame(nextStep++)).build());
        }
    }

    /** Whether generations of several clients want rows; one that is paused wants none. */
    private boolean isShared() {
        return sessions.values().stream()
                        .filter(session -> !unread.contains(session))
                        .map(session -> session.connection)
                        .distinct()
                        .limit(2)
                        .count()
                > 1;
    }

    private void advance(Flight flight, StepOutcome outcome) {
        try {
            int row = 0;
            int answer = 0;
            for (int i = 0; i < flight.entries().size(); i++) {
                StepEntry entry = flight.entries().get(i);
                HeadSession session = flight.sessions().get(i);
                Optional<Sampled> sampled = Optional.of(answer)
                        .filter(next -> next < outcome.getSampledCount())
                        .map(outcome::getSampled)
                        .filter(next -> next.getSession() == session.id);
                boolean failed = sampled.filter(Sampled::hasFailure).isPresent();
                boolean answered = Tail.wanted(entry) != Step.Logits.NONE;
                if (answered && sampled.isEmpty()) {
                    throw new IllegalArgumentException("it has no answer for session " + session.id);
                }
                if (failed) {
                    end(session, said(sampled.get().getFailure()));
                } else {
                    if (sessions.containsKey(session.id)) {
                        Optional<Routing> routing = session.routing(outcome, entry, row);
                        session.check(entry, sampled);
                        advance(session, entry, sampled, routing);
                    }
                    row += entry.getTokensCount();
                }
                answer += answered || failed ? 1 : 0;
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "the outcome of step " + outcome.getStep() + " cannot be used: " + e.getMessage(), e);
        }
    }

    /** What fails here, a tokenizer for instance, is one generation's own. */
    private void advance(HeadSession session, StepEntry entry, Optional<Sampled> sampled, Optional<Routing> routing) {
        try {
            int repeated = session.repeated(entry);
            session.setAlone(false);
            session.advance(entry, routing);
            if (sampled.isPresent()) {
                session.scored(entry, repeated, sampled.get());
            }
            continueOrFinish(
                    session,
                    entry.getSample() || entry.getLogits()
                            ? session.sampled(entry, sampled.get())
                            : session.unanswered());
        } catch (RuntimeException e) {
            end(session, ShardExecutor.failure(e, Failure.Kind.INTERNAL).at(node, "node " + node));
        }
    }

    private void continueOrFinish(HeadSession session, Optional<Finished> finished) {
        if (finished.isEmpty()) {
            ready(session);
            return;
        }
        session.replies.next(
                GenerateReply.newBuilder().setFinished(finished.get()).build());
        session.replies.finish();
        remove(session, refusal("the generation of session " + session.id + " has ended"));
        closeSession(session);
    }

    /** A step without a result: the engine does not say whose fault that is, so all go back, and each is tried alone, once. */
    private void ended(Flight flight, StepOutcome outcome) {
        Failure why = outcome.getEnd().hasFailure()
                ? said(outcome.getEnd().getFailure())
                : refusal("step " + outcome.getStep() + " was cancelled");
        if (outcome.getEnd().hasFailure() && OF_MEMORY.contains(why.kind())) {
            forming.stepBack();
        }
        for (int i = 0; i < flight.sessions().size(); i++) {
            HeadSession session = flight.sessions().get(i);
            if (!sessions.containsKey(session.id)) {
                continue; // cancelled
            }
            if (session.isAlone() || !outcome.getEnd().hasFailure()) {
                end(session, why);
            } else {
                session.setAlone(true);
                questions.truncate(session, flight.entries().get(i).getPosition(), refusal -> {
                    if (refusal.isPresent()) {
                        end(session, refusal.get());
                    } else {
                        ready(session);
                    }
                });
            }
        }
    }

    private Failure said(org.espalier.v1.Failure failure) {
        return RingFailure.said(place, place.previous(), FailureWire.decode(failure));
    }

    private void closeSession(HeadSession session) {
        if (session.opened()) {
            ring.send(Frame.newBuilder()
                    .setClose(CloseSession.newBuilder().setSession(session.id))
                    .build());
        }
    }
}
