package org.espalier.node.ring.agent;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.espalier.EspalierException;
import org.espalier.failure.Failure;
import org.espalier.node.ring.RingPlace;
import org.espalier.transport.Channels;

/**
 * The node that a member dials, often if the ring breaks. Its address is read once, by the thread that loads: a name server may take its time, and
 * the agent's thread cannot wait for it.
 *
 * @param channels makes channels to it; empty where the node is alone or its address is refused
 * @param refusal why it cannot be dialled
 */
record NextNode(Optional<ManagedChannelBuilder<?>> channels, Optional<Failure> refusal) {

    static NextNode of(Channels channels, RingPlace place) {
        if (place.isAlone()) {
            return new NextNode(Optional.empty(), Optional.empty());
        }
        try {
            ManagedChannelBuilder<?> builder =
                    channels.toNode(place.next().getNode(), place.next().getAddress());
            builder.directExecutor()
                    .maxInboundMessageSize(RingMember.MAX_MESSAGE_BYTES)
                    .keepAliveTime(20, TimeUnit.SECONDS)
                    .keepAliveTimeout(10, TimeUnit.SECONDS);
            return new NextNode(Optional.of(builder), Optional.empty());
        } catch (EspalierException e) {
            Failure why = new Failure(place.self().getNode(), Failure.Kind.INVALID, e.getMessage());
            return new NextNode(Optional.empty(), Optional.of(why));
        }
    }

    /** A new channel, which the caller closes. */
    ManagedChannel channel() {
        return channels.orElseThrow().build();
    }
}
