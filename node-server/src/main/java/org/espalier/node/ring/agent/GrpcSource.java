package org.espalier.node.ring.agent;

import io.grpc.Status;
import io.grpc.stub.CallStreamObserver;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.net.ConnectException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.espalier.failure.FailureStatus;
import org.espalier.node.ring.FrameSource;
import org.espalier.v1.Frame;

/**
 * The receiving half of a link that this node has dialled, or that it was dialled for: hands on what arrives on the agent's thread, in order.
 * The peer may send {@link #AHEAD} frames more than were handled, so that none of them is without limit.
 */
final class GrpcSource implements ClientResponseObserver<Frame, Frame> {

    static final int AHEAD = 64;

    /** How often the agent is told that bytes come; a peer may be silent much longer. */
    private static final long BYTES_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final RingAgent agent;
    private final FrameSource source;
    private volatile CallStreamObserver<Frame> call;
    private volatile long told = System.nanoTime();

    GrpcSource(RingAgent agent, FrameSource source) {
        this.agent = agent;
        this.source = source;
    }

    /** @param replies of a call whose requests this object receives */
    GrpcSource(RingAgent agent, FrameSource source, CallStreamObserver<Frame> replies) {
        this(agent, source);
        call = replies;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<Frame> requests) {
        requests.disableAutoRequestWithInitial(AHEAD);
        call = requests;
    }

    /** Bytes of a frame have come; on the connection's thread. */
    void onBytes() {
        long now = System.nanoTime();
        if (now - told > BYTES_NANOS) {
            told = now;
            agent.execute(source::onBytes);
        }
    }

    @Override
    public void onNext(Frame frame) {
        agent.execute(() -> {
            source.onFrame(frame);
            call.request(1);
        });
    }

    @Override
    public void onError(Throwable error) {
        agent.execute(() -> source.onEnd(FailureStatus.details(error), reason(Status.fromThrowable(error))));
    }

    @Override
    public void onCompleted() {
        agent.execute(() -> source.onEnd(Optional.empty(), "it ended the stream"));
    }

    private static String reason(Status status) {
        for (Throwable cause = status.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof ConnectException) {
                return "nothing answers at its address";
            }
        }
        if (status.getCode() == Status.Code.UNAVAILABLE || status.getCode() == Status.Code.CANCELLED) {
            return "its connection closed";
        }
        return status.getDescription() == null ? status.getCode().toString() : status.getDescription();
    }
}
