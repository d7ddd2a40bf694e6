package org.espalier.node.ring;

import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.failure.FailureStatus;
import org.espalier.transport.Channels;
import org.espalier.v1.Frame;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.Hello;
import org.espalier.v1.RingGrpc;

/**
 * This node as a member of one deployment's ring: its stage, the link to the next node, the link from the previous one and, at the head,
 * the scheduler. When any part breaks, the failure goes to both neighbours and from there on, so that it reaches the head whichever side
 * of the break it is on; sessions are freed and nothing runs until the deployment is loaded again.
 */
public final class RingMember {

    private static final long JOIN_SECONDS = 10;

    /** How long a broken link's last frame may take; a peer that answers nothing would keep the connection for ever. */
    private static final long WRITE_SECONDS = 1;

    /** 256 rows x 16,384 wide x 4 bytes = 16 MiB of activations, and routing; four times that. */
    public static final int MAX_MESSAGE_BYTES = 64 << 20;

    /** Of a request that has been answered already; no session has this id. */
    private static final long NO_SESSION = 0;

    private final RingPlace place;
    private final StageShard shard;
    private final StepThread steps;
    private final RingClock clock;
    private final Channels channels;
    private final Stage stage;
    private final HeadScheduler scheduler;
    private final AtomicLong nextSession = new AtomicLong(1);
    /** Of requests whose tokenizer is being opened. */
    private final Set<StreamObserver<GenerateReply>> opening = ConcurrentHashMap.newKeySet();

    private ManagedChannel channel;
    private RingLink outbound;
    private RingLink inbound;
    private CompletableFuture<Void> joining;
    private boolean joined;
    private volatile Failure failure;

    public RingMember(RingPlace place, StageShard shard, StepThread steps, RingClock clock, Channels channels) {
        this.place = place;
        this.shard = shard;
        this.steps = steps;
        this.clock = clock;
        this.channels = channels;
        this.stage = new Stage(place, shard, steps, this::send);
        this.scheduler = place.isHead() ? new HeadScheduler(place, stage::accept, this::fail) : null;
    }

    public RingPlace place() {
        return place;
    }

    public StageShard shard() {
        return shard;
    }

    /** Sessions open on this node; at the head also those that wait for their first step. */
    public int sessions() {
        return scheduler == null ? stage.sessions() : Math.max(scheduler.generations(), stage.sessions());
    }

    /** Whether both links are up. */
    public synchronized boolean serving() {
        return failure == null && joined && (place.isAlone() || inbound != null);
    }

    /**
     * Dials the next node and waits until it has accepted. It is dialled once: whoever asks again waits for the same answer, or has it already.
     *
     * @throws FailureException that names the node which cannot be reached
     */
    public void join() {
        if (place.isAlone()) {
            synchronized (this) {
                joined = true;
            }
            return;
        }
        CompletableFuture<Void> accepted;
        synchronized (this) {
            if (failure != null) {
                throw failure.exception();
            }
            if (joined) {
                return;
            }
            if (joining == null) {
                CompletableFuture<Void> answer = new CompletableFuture<>();
                dial(answer);
                joining = answer;
            }
            accepted = joining;
        }
        try {
            accepted.get(JOIN_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            Failure cause = Failure.of(e.getCause(), Failure.Kind.INTERNAL);
            throw new Failure(
                            cause.node(),
                            cause.kind(),
                            RingPlace.name(place.self()) + " cannot join the next: " + cause.message(),
                            cause.remedy())
                    .exception();
        } catch (TimeoutException e) {
            throw new Failure(
                            place.next().getNode(),
                            Failure.Kind.TIMED_OUT,
                            RingPlace.name(place.self()) + " got no answer from " + RingPlace.name(place.next())
                                    + " within " + JOIN_SECONDS + " s")
                    .with(Remedy.LOAD_AGAIN)
                    .exception();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw refusal(Failure.Kind.CANCELLED, "joining was interrupted on " + RingPlace.name(place.self()));
        }
        synchronized (this) {
            joined = true;
        }
    }

    private void dial(CompletableFuture<Void> accepted) {
        channel = channels.toNode(place.next().getNode(), place.next().getAddress())
                .directExecutor()
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .keepAliveTime(20, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .build();
        RingLink.Receiver receiver = new RingLink.Receiver() {
            @Override
            public void onFrame(Frame frame) {
                fail(RingFailure.violation(
                        place.next(), "it sent a frame against the direction of the ring, " + frame.getBodyCase()));
            }

            @Override
            public void onFailure(Failure cause) {
                accepted.completeExceptionally(cause.exception());
                fail(cause);
            }

            @Override
            public void onAccepted() {
                accepted.complete(null);
            }
        };
        Replies replies = new Replies();
        StreamObserver<Frame> requests = RingGrpc.newStub(channel).link(replies);
        outbound = new RingLink(place.next(), requests, 0, receiver);
        replies.link.complete(outbound);
        Hello.Builder hello = Hello.newBuilder()
                .setDeployment(place.deployment())
                .setEpoch(place.epoch())
                .setNode(place.self().getNode());
        Arithmetic.of(shard).write(hello);
        outbound.send(Frame.newBuilder().setHello(hello));
        outbound.start(clock);
    }

    /** Hands replies to the link, which can only be made once the call has provided its request observer. */
    private static final class Replies implements ClientResponseObserver<Frame, Frame> {
        private final CompletableFuture<RingLink> link = new CompletableFuture<>();

        @Override
        public void beforeStart(ClientCallStreamObserver<Frame> requests) {}

        @Override
        public void onNext(Frame frame) {
            link.thenAccept(l -> l.onNext(frame));
        }

        @Override
        public void onError(Throwable error) {
            link.thenAccept(l -> l.onError(error));
        }

        @Override
        public void onCompleted() {
            link.thenAccept(RingLink::onCompleted);
        }
    }

    /**
     * The previous node has dialled and sent Hello.
     *
     * @param replies to it
     * @return receives its further frames
     * @throws FailureException if it is not the previous node, computes with another precision or width, or has already dialled
     */
    public StreamObserver<Frame> accept(Hello hello, StreamObserver<Frame> replies) {
        RingLink link;
        synchronized (this) {
            if (place.isAlone() || !hello.getNode().equals(place.previous().getNode())) {
                throw refusal(
                        Failure.Kind.REFUSED,
                        "node '" + hello.getNode() + "' does not come before " + RingPlace.name(place.self())
                                + " in deployment " + place.deployment());
            }
            Optional<String> mismatch = Arithmetic.of(shard).refuses(Arithmetic.of(hello), place);
            if (mismatch.isPresent()) {
                throw refusal(Failure.Kind.REFUSED, mismatch.get());
            }
            if (failure != null) {
                throw failure.exception();
            }
            if (inbound != null) {
                throw refusal(
                        Failure.Kind.REFUSED,
                        RingPlace.name(place.self()) + " already has a link from " + RingPlace.name(place.previous()));
            }
            inbound = new RingLink(place.previous(), replies, 1, new FromPrevious());
            link = inbound;
        }
        link.start(clock);
        return link;
    }

    private final class FromPrevious implements RingLink.Receiver {
        @Override
        public void onFrame(Frame frame) {
            try {
                if (!place.isHead()) {
                    stage.accept(frame);
                } else if (!toHead(frame)) {
                    throw new IllegalArgumentException(frame.getBodyCase() + " frames are not meant for the head");
                }
            } catch (IllegalArgumentException e) {
                fail(RingFailure.violation(place.previous(), e.getMessage()));
            }
        }

        @Override
        public void onFailure(Failure cause) {
            fail(cause);
        }
    }

    /** Hands the last node's answers to the scheduler; false for any other frame. */
    private boolean toHead(Frame frame) {
        switch (frame.getBodyCase()) {
            case OUTCOME -> scheduler.outcome(frame.getOutcome());
            case SESSION -> scheduler.answered(frame.getSession());
            default -> {
                return false;
            }
        }
        return true;
    }

    private void send(Frame.Builder frame) {
        if (place.isAlone()) {
            toHead(frame.build());
            return;
        }
        RingLink link;
        synchronized (this) {
            link = outbound;
        }
        if (link != null) {
            link.send(frame);
        }
    }

    /**
     * Starts a generation at the head.
     *
     * @return its session, for {@link #cancel}
     * @throws FailureException if this is not the head, the ring is broken, or the request does not fit the model
     */
    public long generate(GenerateRequest request, StreamObserver<GenerateReply> replies) {
        HeadSession session = opened(request, replies);
        if (session == null) {
            return NO_SESSION;
        }
        scheduler.submit(session);
        return session.id;
    }

    /** Null if the ring broke meanwhile: then the failure is answered already, however long the tokenizer's files do not answer. */
    private HeadSession opened(GenerateRequest request, StreamObserver<GenerateReply> replies) {
        opening.add(replies);
        try {
            HeadSession session = session(request, replies); // looks for a failure after replies are entered
            return opening.remove(replies) ? session : null;
        } catch (RuntimeException | Error e) {
            if (opening.remove(replies)) {
                throw e;
            }
            return null;
        }
    }

    private HeadSession session(GenerateRequest request, StreamObserver<GenerateReply> replies) {
        if (scheduler == null) {
            throw refusal(
                    Failure.Kind.INVALID,
                    RingPlace.name(place.self()) + " is not the head of deployment " + place.deployment() + ": ask "
                            + RingPlace.name(place.shards().get(0)));
        }
        Failure broken = failure;
        if (broken != null) {
            throw broken.exception();
        }
        if (!serving()) {
            throw refusal(Failure.Kind.REFUSED, "deployment " + place.deployment() + " is not joined yet");
        }
        int maxNew = new GenerateLimits(place.self().getNode(), shard).maxNew(request);
        try {
            return new HeadSession(nextSession.getAndIncrement(), request, maxNew, shard, replies);
        } catch (RuntimeException e) {
            Failure meantime = failure; // a shard that has just been freed has no tokenizer to open
            throw meantime == null ? e : meantime.exception(e);
        }
    }

    /**
     * Truncates a generation's session to its first {@code length} rows on every node, between two of its steps. The generation continues
     * from there: it computes the rows of its tokens again, and nothing that its client has received is taken back.
     *
     * @return completes when all nodes are told; exceptionally, with every node unchanged, if one refuses or the generation ends first
     */
    public CompletableFuture<Void> truncate(long session, int length) {
        return scheduler.truncate(session, length);
    }

    /**
     * Starts a generation in a copy of the first {@code length} rows of a running one's session, which does not change. Its prompt must begin
     * with the tokens of those rows, its router edits must be the same, and it can get no longer than the other.
     *
     * @param replies also told if a node refuses
     * @return its session
     * @throws FailureException if the request does not fit the model
     */
    public long fork(long from, int length, GenerateRequest request, StreamObserver<GenerateReply> replies) {
        HeadSession session = opened(request, replies);
        if (session == null) {
            return NO_SESSION;
        }
        scheduler.fork(session, from, length);
        return session.id;
    }

    private FailureException refusal(Failure.Kind kind, String message) {
        return new Failure(place.self().getNode(), kind, message).exception();
    }

    /** Ends a generation's work on every node. */
    public void cancel(long session) {
        scheduler.cancel(session);
    }

    /** Ends all generations of a client whose attachment broke. */
    public void cancelClient(String client) {
        if (scheduler != null) {
            scheduler.cancelClient(client);
        }
    }

    /** Breaks the ring: both neighbours are told, generations fail, sessions are freed. */
    public void fail(Failure cause) {
        RingLink before;
        RingLink after;
        ManagedChannel dialled;
        synchronized (this) {
            if (failure != null) {
                return;
            }
            failure = cause;
            before = inbound;
            after = outbound;
            dialled = channel;
        }
        for (StreamObserver<GenerateReply> replies : opening) {
            if (opening.remove(replies)) {
                replies.onError(FailureStatus.of(cause));
            }
        }
        if (scheduler != null) {
            scheduler.fail(cause);
        }
        stage.stop();
        if (before != null) {
            before.fail(cause);
        }
        if (after != null) {
            after.fail(cause);
        }
        if (dialled != null) {
            dialled.shutdown(); // lets the failure be written first
            CompletableFuture.delayedExecutor(WRITE_SECONDS, TimeUnit.SECONDS).execute(dialled::shutdownNow);
        }
    }

    /**
     * Leaves the ring; the shard stays loaded. Neighbours are told {@code why}.
     *
     * @return completes when none of its work is left on the step thread
     */
    public CompletableFuture<Void> leave(Failure why) {
        fail(why);
        if (scheduler != null) {
            scheduler.close(why);
        }
        return steps.drained();
    }

    /** Drops both links without telling the neighbours, as a machine that loses power does. */
    public void dropLinks() {
        RingLink before;
        RingLink after;
        ManagedChannel dialled;
        synchronized (this) {
            before = inbound;
            after = outbound;
            dialled = channel;
        }
        if (before != null) {
            before.mute();
        }
        if (after != null) {
            after.mute();
        }
        if (dialled != null) {
            dialled.shutdownNow();
        }
    }
}
