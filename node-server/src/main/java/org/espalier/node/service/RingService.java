package org.espalier.node.service;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.transport.Peer;
import org.espalier.v1.Frame;
import org.espalier.v1.RingGrpc;

/** What the previous node of a ring sends: the first frame is Hello and names the deployment, the rest goes to its member here. */
final class RingService extends RingGrpc.RingImplBase {

    private final String node;
    private final Deployments deployments;

    RingService(String node, Deployments deployments) {
        this.node = node;
        this.deployments = deployments;
    }

    @Override
    public StreamObserver<Frame> link(StreamObserver<Frame> replies) {
        // With a handler set, writing to a call that was cancelled in the meantime is harmless; the link is told by
        // onError.
        ((ServerCallStreamObserver<Frame>) replies).setOnCancelHandler(() -> {});
        return new Handshake(replies, Peer.caller());
    }

    private final class Handshake implements StreamObserver<Frame> {
        private final StreamObserver<Frame> replies;
        private final Optional<Peer> caller;
        private StreamObserver<Frame> link;
        private boolean refused;

        private Handshake(StreamObserver<Frame> replies, Optional<Peer> caller) {
            this.replies = replies;
            this.caller = caller;
        }

        @Override
        public void onNext(Frame frame) {
            if (link != null) {
                link.onNext(frame);
                return;
            }
            if (refused) {
                return;
            }
            try {
                if (!frame.hasHello() || frame.getNumber() != 0) {
                    throw new Failure(
                                    node,
                                    Failure.Kind.INVALID,
                                    "the first frame of a link must be Hello with number 0, found "
                                            + frame.getBodyCase() + " with number " + frame.getNumber())
                            .exception();
                }
                requireOwnName(frame.getHello().getNode());
                link = deployments
                        .member(
                                frame.getHello().getDeployment(),
                                frame.getHello().getEpoch())
                        .accept(frame.getHello(), replies);
            } catch (RuntimeException e) {
                refused = true;
                replies.onError(
                        FailureStatus.of(Failure.of(e, Failure.Kind.REFUSED).at(node, "node " + node)));
            }
        }

        /** Over TLS a node speaks for itself alone. */
        private void requireOwnName(String said) {
            caller.filter(peer -> !peer.name().equals(said)).ifPresent(peer -> {
                throw new Failure(
                                node,
                                Failure.Kind.REFUSED,
                                "a link says that it comes from node " + said + ", and its certificate is for node "
                                        + peer.name())
                        .exception();
            });
        }

        @Override
        public void onError(Throwable error) {
            if (link != null) {
                link.onError(error);
            }
        }

        @Override
        public void onCompleted() {
            if (link != null) {
                link.onCompleted();
            } else if (!refused) {
                replies.onCompleted();
            }
        }
    }
}
