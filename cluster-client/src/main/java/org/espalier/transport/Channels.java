package org.espalier.transport;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import org.espalier.EspalierException;

/** The one place that makes channels to nodes, for clients and for nodes alike: no other address is dialled than {@link NodeAddress} knows. */
public final class Channels {

    /** Channels that say nothing of who dials. */
    public static Channels anonymous() {
        return new Channels();
    }

    private Channels() {}

    /**
     * A channel to a given node; limits and executors are the caller's to set.
     *
     * @param node its name
     * @param address as {@link NodeAddress#parse} reads it
     * @throws EspalierException if the address is refused
     */
    public ManagedChannelBuilder<?> toNode(String node, String address) {
        return open(NodeAddress.parse(address));
    }

    /** A channel to whichever node listens at an address. */
    public ManagedChannelBuilder<?> toAddress(NodeAddress address) {
        return open(address);
    }

    private ManagedChannelBuilder<?> open(NodeAddress address) {
        if (address.mode() == NodeAddress.Mode.TLS) {
            throw new EspalierException("cannot connect to " + address
                    + ": other addresses than loopback need TLS, which is not there yet");
        }
        return NettyChannelBuilder.forAddress(address.loopback(), InsecureChannelCredentials.create())
                .proxyDetector(target -> null);
    }
}
