package org.espalier.node.service;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import org.espalier.failure.Failure;
import org.espalier.node.ring.agent.LinkCall;
import org.espalier.node.ring.agent.RingAgent;
import org.espalier.node.ring.agent.RingMember;
import org.espalier.transport.Peer;
import org.espalier.v1.EchoReply;
import org.espalier.v1.EchoRequest;
import org.espalier.v1.Frame;
import org.espalier.v1.Hello;
import org.espalier.v1.RingGrpc;

/** What the previous node of a ring sends. */
final class RingService extends RingGrpc.RingImplBase {

    private final String node;
    private final RingAgent agent;
    private final Deployments deployments;

    RingService(String node, RingAgent agent, Deployments deployments) {
        this.node = node;
        this.agent = agent;
        this.deployments = deployments;
    }

    @Override
    public StreamObserver<Frame> link(StreamObserver<Frame> replies) {
        Optional<Peer> caller = Peer.caller();
        return LinkCall.take(
                node, agent, hello -> member(hello, caller), RequestSize::onBytes, (ServerCallStreamObserver<Frame>)
                        replies);
    }

    @Override
    public void echo(EchoRequest request, StreamObserver<EchoReply> replies) {
        replies.onNext(
                EchoReply.newBuilder().setGenerating(deployments.generating()).build());
        replies.onCompleted();
    }

    private RingMember member(Hello hello, Optional<Peer> caller) {
        requireOwnName(hello.getNode(), caller);
        return deployments.member(hello.getDeployment(), hello.getEpoch());
    }

    /** Over TLS a node speaks for itself alone. */
    private void requireOwnName(String said, Optional<Peer> caller) {
        caller.filter(peer -> !peer.name().equals(said)).ifPresent(peer -> {
            throw new Failure(
                            node,
                            Failure.Kind.REFUSED,
                            "a link says that it comes from node " + said + ", and its certificate is for node "
                                    + peer.name())
                    .exception();
        });
    }
}
