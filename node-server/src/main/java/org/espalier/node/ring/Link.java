package org.espalier.node.ring;

import java.util.Optional;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureWire;
import org.espalier.v1.Frame;
import org.espalier.v1.Heartbeat;
import org.espalier.v1.Shard;

/**
 * One end of the stream between two neighbours: numbers what it sends, checks the numbers of what it receives, and reports silence. Once it
 * has failed or was dropped it is deaf and dumb.
 */
final class Link implements FrameSource {

    /** After 3 ticks of 0.5 s without any byte of a frame the peer is lost. Ticks and not time: a pause of this process is one late tick. */
    private static final int SILENT_TICKS = 3;

    interface Receiver {
        /** The first heartbeat: the peer has accepted the link. */
        default void onAccepted() {}

        /** A numbered frame, in order. */
        void onFrame(Frame frame);

        default void onHeartbeat(Heartbeat heartbeat) {}

        /** The ring broke, at this peer or beyond it. Called once. */
        void onFailure(Failure failure);
    }

    private final Shard peer;
    private final Receiver receiver;
    private FrameSink out;
    private long sent;
    private long expected;
    private int silentTicks;
    private boolean accepted;
    private boolean over;

    /** @param received how many numbered frames of the peer were read before this link was made: 1 where Hello was */
    Link(Shard peer, long received, Receiver receiver) {
        this.peer = peer;
        this.expected = received;
        this.receiver = receiver;
    }

    /** Frames can be sent from now on. */
    void open(FrameSink sink) {
        out = sink;
    }

    void send(Frame.Builder frame) {
        if (!over) {
            out.send(frame.setNumber(sent++).build());
        }
    }

    void beat(Heartbeat heartbeat) {
        if (!over) {
            out.send(Frame.newBuilder().setNumber(sent).setHeartbeat(heartbeat).build());
        }
    }

    /** Each 0.5 s. */
    void tick() {
        if (!over && ++silentTicks > SILENT_TICKS) {
            end(RingFailure.lost(peer, "it has been silent for 1.5 s"));
        }
    }

    /** Passes a failure to the peer and ends the stream. */
    void fail(Failure failure) {
        if (!over) {
            over = true;
            out.send(Frame.newBuilder().setFailure(FailureWire.encode(failure)).build());
            out.end();
        }
    }

    /** Ends the stream; the peer is not told why. */
    void drop() {
        over = true;
        out.drop();
    }

    @Override
    public void onBytes() {
        silentTicks = 0;
    }

    @Override
    public void onFrame(Frame frame) {
        if (over) {
            return;
        }
        silentTicks = 0;
        switch (frame.getBodyCase()) {
            case HEARTBEAT -> {
                if (frame.getNumber() != expected) {
                    violation("it had sent " + frame.getNumber() + " frames, " + expected + " arrived");
                } else if (!accepted) {
                    accepted = true;
                    receiver.onAccepted();
                } else {
                    receiver.onHeartbeat(frame.getHeartbeat());
                }
            }
            case FAILURE -> end(FailureWire.decode(frame.getFailure()));
            case BODY_NOT_SET -> violation("a frame is empty or of an unknown kind");
            default -> {
                if (frame.getNumber() != expected) {
                    violation("received frame " + frame.getNumber() + ", expected " + expected);
                } else {
                    expected++;
                    receiver.onFrame(frame);
                }
            }
        }
    }

    @Override
    public void onEnd(Optional<Failure> said, String reason) {
        if (!over) {
            end(said.orElseGet(() -> RingFailure.lost(peer, reason)));
        }
    }

    /** The peer violated the protocol. */
    void violation(String reason) {
        end(RingFailure.violation(peer, reason));
    }

    /** Once: the receiver answers by failing this link. */
    private void end(Failure failure) {
        receiver.onFailure(failure);
    }
}
