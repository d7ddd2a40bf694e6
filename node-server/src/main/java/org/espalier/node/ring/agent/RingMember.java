package org.espalier.node.ring.agent;

import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.espalier.EspalierException;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.node.ring.EngineQueue;
import org.espalier.node.ring.FrameSink;
import org.espalier.node.ring.FrameSource;
import org.espalier.node.ring.HeadSession;
import org.espalier.node.ring.Member;
import org.espalier.node.ring.RingFailure;
import org.espalier.node.ring.RingLimits;
import org.espalier.node.ring.RingPlace;
import org.espalier.node.ring.RingPorts;
import org.espalier.node.ring.StageShard;
import org.espalier.transport.Channels;
import org.espalier.v1.Alive;
import org.espalier.v1.Frame;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.Hello;
import org.espalier.v1.RingGrpc;
import org.espalier.v1.Shard;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** This node as a member of one deployment's ring, for any thread: a {@link Member} that runs on the node's agent. */
public final class RingMember {

    private static final Logger LOG = LoggerFactory.getLogger(RingMember.class);

    /** A peer that says nothing is given up after 2 s; this is for a node whose agent does not answer. */
    private static final long JOIN_SECONDS = 10;

    /** 512 rows x 16,384 wide x 4 bytes = 32 MiB of activations, and at most 24 MiB of routing. */
    public static final int MAX_MESSAGE_BYTES = 64 << 20;

    /** What other threads may see of the machine. */
    private record State(int sessions, boolean serving, boolean dialled, Optional<Failure> refusal) {}

    private final RingPlace place;
    private final StageShard shard;
    private final RingAgent agent;
    private final Channels channels;
    private final Member member;
    private final AtomicLong nextSession = new AtomicLong(1);
    private final Beginnings beginnings = new Beginnings();
    private final AtomicBoolean opensText = new AtomicBoolean();

    private volatile State state;

    RingMember(
            RingPlace place,
            StageShard shard,
            RingAgent agent,
            Channels channels,
            RingLimits limits,
            EngineQueue engine) {
        this.place = place;
        this.shard = shard;
        this.agent = agent;
        this.channels = channels;
        this.member = new Member(place, shard, limits, engine, new Ports());
        publish();
    }

    public RingPlace place() {
        return place;
    }

    public StageShard shard() {
        return shard;
    }

    /** Sessions open on this node; at the head also those that wait for their first step. */
    public int sessions() {
        return state.sessions;
    }

    /** Whether both links are up. */
    public boolean serving() {
        return state.serving;
    }

    /** On the agent's thread. */
    void publish() {
        state = new State(member.sessions(), member.serving(), member.hasDialled(), member.refusal());
    }

    /** On the agent's thread. */
    void tick() {
        guarded(Member::tick);
        forgetIfGone();
        beginnings.each(asked -> asked.replies()
                .next(GenerateReply.newBuilder()
                        .setAlive(Alive.getDefaultInstance())
                        .build()));
    }

    /** Has an event handled on the agent's thread; false if the node is closed. */
    private boolean post(Consumer<Member> event) {
        return agent.execute(() -> guarded(event));
    }

    private void guarded(Consumer<Member> event) {
        try {
            event.accept(member);
        } catch (Throwable e) {
            failed(e);
        }
        publish();
    }

    private void failed(Throwable defect) {
        try {
            member.defect(defect);
        } catch (Throwable e) {
            RingAgent.log("a ring cannot be ended yet", e); // the next tick tries it again
        }
    }

    /**
     * Dials the next node and waits until it has accepted.
     *
     * @throws FailureException that names the node which cannot be reached
     */
    public void join() {
        CompletableFuture<Optional<Failure>> answer = new CompletableFuture<>();
        if (!post(machine -> machine.join(answer::complete))) {
            throw refusal(Failure.Kind.DEPLOYMENT_GONE, "node " + place.self().getNode() + " has been shut down");
        }
        Optional<Failure> cause;
        try {
            cause = answer.get(JOIN_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            cause = Optional.of(unanswered());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw refusal(Failure.Kind.CANCELLED, "joining was interrupted on " + RingPlace.name(place.self()));
        } catch (ExecutionException e) {
            throw new IllegalStateException(e); // it never completes so
        }
        cause.ifPresent(why -> {
            throw new Failure(
                            why.node(),
                            why.kind(),
                            RingPlace.name(place.self()) + " cannot join the next: " + why.message(),
                            why.remedy())
                    .exception();
        });
    }

    /** This node dials on once it has been dialled itself. */
    private Failure unanswered() {
        Shard silent = state.dialled ? place.next() : place.previous();
        return new Failure(
                        silent.getNode(),
                        Failure.Kind.TIMED_OUT,
                        (state.dialled ? "no answer" : "no link") + " came from " + RingPlace.name(silent) + " within "
                                + JOIN_SECONDS + " s")
                .with(Remedy.LOAD_AGAIN);
    }

    /**
     * The previous node has dialled and sent Hello. On the agent's thread.
     *
     * @param replies to it
     * @return receives its further frames, on the agent's thread
     * @throws FailureException if it is not the previous node, computes with another precision or width, or has already dialled
     */
    FrameSource accept(Hello hello, StreamObserver<Frame> replies) {
        try {
            FrameSource source = member.accept(hello, new GrpcSink(replies, null));
            return new Guarded(source);
        } finally {
            publish();
        }
    }

    /** A link's source whose defects are the ring's. */
    private final class Guarded implements FrameSource {
        private final FrameSource source;

        private Guarded(FrameSource source) {
            this.source = source;
        }

        @Override
        public void onFrame(Frame frame) {
            guarded(machine -> source.onFrame(frame));
        }

        @Override
        public void onBytes() {
            guarded(machine -> source.onBytes());
        }

        @Override
        public void onEnd(Optional<Failure> said, String reason) {
            guarded(machine -> source.onEnd(said, reason));
        }
    }

    /**
     * Starts a generation at the head. One with stop strings begins once the tokenizer is open, which nobody waits for.
     *
     * @param connection of the client, which shares the ring with those of others
     * @return its session, for {@link #cancel}
     * @throws FailureException if this is not the head, the ring is broken, or the request does not fit the model
     */
    public long generate(GenerateRequest request, String connection, GrpcReplies replies) {
        return start(request, connection, replies, Member::generate);
    }

    /**
     * Starts a generation in a copy of the first {@code length} rows of a running one's session, which does not change. Its prompt must begin
     * with the tokens of those rows, its router edits must be the same, and it can get no longer than the other.
     *
     * @param replies also told if a node refuses
     * @return its session
     * @throws FailureException if the request does not fit the model
     */
    public long fork(long from, int length, GenerateRequest request, String connection, GrpcReplies replies) {
        return start(request, connection, replies, (machine, session) -> machine.fork(session, from, length));
    }

    private long start(GenerateRequest request, String connection, GrpcReplies replies, Beginnings.Start start) {
        Beginnings.Asked asked = new Beginnings.Asked(
                nextSession.getAndIncrement(), request, connection, replies, start, new AtomicBoolean());
        beginnings.add(asked);
        try {
            requireServing(); // after it is entered: a ring that breaks from now on answers it
            if (asked.needsText()) {
                openText();
            } else {
                begin(asked);
            }
        } catch (RuntimeException | Error e) {
            if (beginnings.remove(asked)) {
                throw e;
            }
        }
        return asked.session();
    }

    /** Once for all that need it now: what waits for a share that does not answer is one thread. */
    private void openText() {
        if (!opensText.compareAndSet(false, true)) {
            return;
        }
        CompletableFuture<Void> opens;
        try {
            opens = shard.openText();
        } catch (RuntimeException | Error e) {
            opensText.set(false);
            throw e;
        }
        opens.whenComplete((opened, why) -> {
            opensText.set(false); // first: whoever is entered after the following opens it again
            beginnings.each(asked -> {
                if (asked.needsText()) {
                    begin(asked, Optional.ofNullable(why));
                }
            });
        });
    }

    private void begin(Beginnings.Asked asked, Optional<Throwable> unopened) {
        try {
            if (unopened.isPresent()) {
                throw unopened.get();
            }
            begin(asked);
        } catch (Throwable e) {
            Throwable why = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
            Failure failure = Failure.of(why, Failure.Kind.REFUSED);
            if (failure.kind() == Failure.Kind.INTERNAL) {
                RingAgent.log("a generation could not be begun", why);
            }
            String node = place.self().getNode();
            beginnings.fail(asked.session(), failure.at(node, "node " + node));
        }
    }

    private void begin(Beginnings.Asked asked) {
        if (!asked.take()) {
            return;
        }
        HeadSession session = session(asked);
        asked.replies().onReady(() -> post(machine -> machine.ready(session.id())));
        if (!post(machine -> begin(asked, machine, session))) {
            beginnings.fail(
                    asked.session(),
                    state.refusal.orElseGet(() -> refusal(Failure.Kind.DEPLOYMENT_GONE, "it was shut down")
                            .failure()));
        }
    }

    /** A generation that does not come as far as the ring's own lists hears of what went wrong here; if even that fails, its client's silence ends. */
    private void begin(Beginnings.Asked asked, Member machine, HeadSession session) {
        if (!beginnings.remove(asked)) {
            return; // the ring broke meanwhile, or it was cancelled, which is answered already
        }
        try {
            asked.start().begin(machine, session);
        } catch (Throwable e) {
            session.fail(refusal(Failure.Kind.INTERNAL, "it could not be begun: " + e)
                    .failure());
            throw e;
        }
    }

    /** Why no generation can start. Where one seems to be refused the agent is asked, which may just have heard that the ring serves. */
    private Optional<Failure> refusal() {
        if (state.refusal.isPresent() && !agent.isCurrentThread()) {
            CompletableFuture<Void> published = new CompletableFuture<>();
            if (post(machine -> agent.execute(() -> published.complete(null)))) {
                published
                        .completeOnTimeout(null, JOIN_SECONDS, TimeUnit.SECONDS)
                        .join();
            }
        }
        return state.refusal;
    }

    private void requireServing() {
        if (!place.isHead()) {
            throw RingFailure.notHead(place).exception();
        }
        refusal().ifPresent(why -> {
            throw why.exception();
        });
    }

    private HeadSession session(Beginnings.Asked asked) {
        try {
            return new HeadSession(
                    asked.session(),
                    asked.request(),
                    place,
                    shard,
                    new HeadSession.Origin(asked.connection(), asked.replies(), System::nanoTime));
        } catch (EspalierException e) {
            // a shard that has just been freed has no tokenizer to open
            throw refusal().map(why -> (RuntimeException) why.exception(e)).orElse(e);
        }
    }

    /**
     * Truncates a generation's session to its first {@code length} rows on every node, between two of its steps. The generation continues
     * from there: it computes the rows of its tokens again, and nothing that its client has received is taken back.
     *
     * @return completes when all nodes are told; exceptionally, with every node unchanged, if one refuses or the generation ends first
     */
    public CompletableFuture<Void> truncate(long session, int length) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        if (!post(machine -> machine.truncate(session, length, done))) {
            done.completeExceptionally(refusal(Failure.Kind.DEPLOYMENT_GONE, "it was shut down"));
        }
        return done;
    }

    private FailureException refusal(Failure.Kind kind, String message) {
        return new Failure(place.self().getNode(), kind, message).exception();
    }

    /** Ends a generation's work on every node. */
    public void cancel(long session) {
        Failure why = refusal(Failure.Kind.CANCELLED, "the generation of session " + session + " was cancelled")
                .failure();
        if (!beginnings.fail(session, why)) {
            post(machine -> machine.cancel(session));
        }
    }

    /** Ends all generations of a client whose attachment broke. */
    public void cancelClient(String client, String connection) {
        Failure why =
                refusal(Failure.Kind.CANCELLED, "the client's attachment broke").failure();
        beginnings.failIf(asked -> asked.isOf(client, connection), why);
        post(machine -> machine.cancelClient(client, connection));
    }

    /**
     * Leaves the ring; the shard stays loaded. Neighbours are told {@code why}.
     *
     * @return completes when none of its work is left for the engine
     */
    public CompletableFuture<Void> leave(Failure why) {
        post(machine -> machine.leave(why));
        agent.execute(this::forgetIfGone);
        return agent.afterAllWork(() -> {});
    }

    /** Where leaving failed for want of memory, the next tick tries it again. */
    private void forgetIfGone() {
        if (member.isGone()) {
            agent.forget(this);
        }
    }

    /** Drops both links without telling the neighbours, as a machine that loses power does. */
    public void dropLinks() {
        post(Member::dropLinks);
    }

    private final class Ports implements RingPorts {

        private final NextNode next = NextNode.of(channels, place);

        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public FrameSink dial(FrameSource replies) {
            if (next.refusal().isPresent()) {
                return refused(replies, next.refusal().get());
            }
            GrpcSource source = new GrpcSource(agent, new Guarded(replies));
            ManagedChannel channel = next.channel();
            StreamObserver<Frame> frames = RingGrpc.newStub(channel)
                    .withInterceptors(new InboundBytes(source::onBytes))
                    .link(source);
            return new GrpcSink(frames, channel);
        }

        private FrameSink refused(FrameSource replies, Failure failure) {
            agent.execute(() -> new Guarded(replies).onEnd(Optional.of(failure), ""));
            return new FrameSink() {
                @Override
                public void send(Frame frame) {}

                @Override
                public void end() {}

                @Override
                public void drop() {}
            };
        }

        @Override
        public void defect(Throwable error) {
            RingAgent.log("the ring of deployment " + place.deployment() + " was ended by a defect", error);
        }

        @Override
        public void broken(Failure why) {
            if (!why.equals(RingFailure.ended(place.self()))) { // no news to whoever shuts this node down
                LOG.info("the ring of deployment {} broke: {}", place.deployment(), why.message());
            }
            beginnings.failIf(asked -> true, why);
        }

        @Override
        public void gaveUp(Failure why) {
            LOG.warn(
                    "the ring of deployment {} cannot be joined again: {}; load it again",
                    place.deployment(),
                    why.message());
        }

        @Override
        public void joined(long incarnation) {
            LOG.info("the ring of deployment {} serves (incarnation {})", place.deployment(), incarnation);
        }
    }
}
