package org.espalier.node.ring;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.net.ConnectException;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.failure.FailureWire;
import org.espalier.v1.Frame;
import org.espalier.v1.Heartbeat;
import org.espalier.v1.Shard;

/**
 * One end of the stream between two neighbours: numbers what it sends, checks the numbers of what it receives, sends a heartbeat each
 * tick and reports silence. Sends may come from any thread; what arrives is handed on in order by gRPC's.
 */
final class RingLink implements StreamObserver<Frame> {

    /** After 3 ticks of 0.5 s without any frame the peer is lost. */
    private static final int SILENT_TICKS = 3;

    /** Receives what arrives; called by threads that must not block. */
    interface Receiver {
        /** A numbered frame, in order. */
        void onFrame(Frame frame);

        /** The ring broke, at this peer or beyond it. Called once. */
        void onFailure(Failure failure);

        /** The first heartbeat: the peer has accepted the link. */
        default void onAccepted() {}
    }

    private final Shard peer;
    private final Receiver receiver;
    private final StreamObserver<Frame> out;
    private long sent;
    private boolean closed;
    private long expected;
    private boolean accepted;
    private boolean ended;
    private volatile int silentTicks;

    /** @param received how many numbered frames of the peer were read before this link was made: 1 where Hello was */
    RingLink(Shard peer, StreamObserver<Frame> out, long received, Receiver receiver) {
        this.peer = peer;
        this.out = out;
        this.expected = received;
        this.receiver = receiver;
    }

    void start(RingClock clock) {
        beat();
        clock.each(this::tick);
    }

    synchronized void send(Frame.Builder frame) {
        if (!closed) {
            out.onNext(frame.setNumber(sent++).build());
        }
    }

    /** Passes a failure to the peer and ends the stream. */
    synchronized void fail(Failure failure) {
        if (!closed) {
            closed = true;
            out.onNext(
                    Frame.newBuilder().setFailure(FailureWire.encode(failure)).build());
            out.onCompleted();
        }
    }

    /** Sends the peer nothing more, not even the end of the stream. */
    synchronized void mute() {
        closed = true;
    }

    private synchronized void beat() {
        if (!closed) {
            out.onNext(Frame.newBuilder()
                    .setHeartbeat(Heartbeat.getDefaultInstance())
                    .build());
        }
    }

    private boolean tick() {
        synchronized (this) {
            if (closed) {
                return false;
            }
        }
        beat();
        silentTicks++;
        if (silentTicks > SILENT_TICKS) {
            end(RingFailure.lost(peer, "it has been silent for 1.5 s"));
            return false;
        }
        return true;
    }

    @Override
    public void onNext(Frame frame) {
        silentTicks = 0;
        switch (frame.getBodyCase()) {
            case HEARTBEAT -> {
                if (!accepted) {
                    accepted = true;
                    receiver.onAccepted();
                }
            }
            case FAILURE -> end(FailureWire.decode(frame.getFailure()));
            case BODY_NOT_SET -> violation("a frame is empty or of an unknown kind");
            default -> {
                if (frame.getNumber() != expected) {
                    violation("received frame " + frame.getNumber() + ", expected " + expected);
                } else if (!ended()) {
                    expected++;
                    receiver.onFrame(frame);
                }
            }
        }
    }

    @Override
    public void onError(Throwable error) {
        end(FailureStatus.details(error).orElseGet(() -> RingFailure.lost(peer, reason(Status.fromThrowable(error)))));
    }

    @Override
    public void onCompleted() {
        end(RingFailure.lost(peer, "it ended the stream"));
    }

    /** The peer violated the protocol. */
    void violation(String reason) {
        end(RingFailure.violation(peer, reason));
    }

    private synchronized boolean ended() {
        return ended;
    }

    private void end(Failure failure) {
        synchronized (this) {
            if (ended) {
                return;
            }
            ended = true;
        }
        receiver.onFailure(failure);
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
