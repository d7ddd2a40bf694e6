package org.espalier.node.ring.agent;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.node.ring.FrameSource;
import org.espalier.v1.Frame;
import org.espalier.v1.Hello;

/** A call of the previous node: the first frame is Hello and names the deployment, the rest goes to its member here. */
public final class LinkCall implements FrameSource {

    private final String node;
    private final Function<Hello, RingMember> members;
    private final ServerCallStreamObserver<Frame> replies;
    private FrameSource link;
    private boolean refused;

    private LinkCall(String node, Function<Hello, RingMember> members, ServerCallStreamObserver<Frame> replies) {
        this.node = node;
        this.members = members;
        this.replies = replies;
    }

    /**
     * Takes a call.
     *
     * @param members finds the member that a Hello means, or throws
     * @param onBytes is given what to call when bytes of the call come
     * @return receives the frames of the previous node
     */
    public static StreamObserver<Frame> take(
            String node,
            RingAgent agent,
            Function<Hello, RingMember> members,
            Consumer<Runnable> onBytes,
            ServerCallStreamObserver<Frame> replies) {
        // With a handler set, writing to a call that was cancelled in the meantime is harmless; the link is told by
        // onError.
        replies.setOnCancelHandler(() -> {});
        replies.disableAutoRequest();
        replies.request(GrpcSource.AHEAD);
        GrpcSource source = new GrpcSource(agent, new LinkCall(node, members, replies), replies);
        onBytes.accept(source::onBytes);
        return source;
    }

    @Override
    public void onBytes() {
        if (link != null) {
            link.onBytes();
        }
    }

    @Override
    public void onFrame(Frame frame) {
        if (link != null) {
            link.onFrame(frame);
        } else if (!refused) {
            greet(frame);
        }
    }

    private void greet(Frame frame) {
        try {
            if (!frame.hasHello() || frame.getNumber() != 0) {
                throw new Failure(
                                node,
                                Failure.Kind.INVALID,
                                "the first frame of a link must be Hello with number 0, found " + frame.getBodyCase()
                                        + " with number " + frame.getNumber())
                        .exception();
            }
            link = members.apply(frame.getHello()).accept(frame.getHello(), replies);
        } catch (Throwable e) {
            refused = true;
            replies.onError(FailureStatus.of(Failure.of(e, Failure.Kind.REFUSED).at(node, "node " + node)));
        }
    }

    @Override
    public void onEnd(Optional<Failure> said, String reason) {
        if (link != null) {
            link.onEnd(said, reason);
        } else if (!refused) {
            refused = true;
            replies.onCompleted();
        }
    }
}
