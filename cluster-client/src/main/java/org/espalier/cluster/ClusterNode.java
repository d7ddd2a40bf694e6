package org.espalier.cluster;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.DescribeRequest;
import org.espalier.v1.NodeGrpc;

/** The client's connection to one node, and its calls' failures in words. */
final class ClusterNode implements AutoCloseable {

    /** A node that is gone refuses at once; this is for one whose JVM has just started on a busy machine. */
    private static final int DESCRIBE_SECONDS = 15;

    private static final int UNARY_SECONDS = 20;

    /** Logits of a large vocabulary (256 Ki x 4 bytes) or routing of a whole chunk, with room. */
    private static final int MAX_MESSAGE_BYTES = 64 << 20;

    private final String address;
    private final ManagedChannel channel;
    private volatile String name;

    /** @throws ClusterException if the address is not host:port of this machine's loopback */
    ClusterNode(String address) {
        requireLoopback(address);
        this.address = address;
        this.name = address;
        this.channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create())
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .keepAliveTime(20, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .build();
    }

    private static void requireLoopback(String address) {
        int colon = address.lastIndexOf(':');
        String port = address.substring(colon + 1);
        if (colon < 1 || !port.matches("[0-9]{1,5}") || Integer.parseInt(port) > 65535) {
            throw new ClusterException(
                    "'" + address + "' is not an address: write HOST:PORT, for instance 127.0.0.1:41234");
        }
        String host = address.substring(0, colon);
        try {
            if (!InetAddress.getByName(host).isLoopbackAddress()) {
                throw new ClusterException("cannot connect to " + address
                        + ": other addresses than loopback need TLS, which is not there yet");
            }
        } catch (UnknownHostException e) {
            throw new ClusterException("there is no host " + host + ": check the name in " + address, e);
        }
    }

    String address() {
        return address;
    }

    /** The node's own name; the address until it has answered once. */
    String name() {
        return name;
    }

    NodeGrpc.NodeStub calls() {
        return NodeGrpc.newStub(channel);
    }

    NodeGrpc.NodeBlockingStub unary() {
        return NodeGrpc.newBlockingStub(channel).withDeadlineAfter(UNARY_SECONDS, TimeUnit.SECONDS);
    }

    NodeGrpc.NodeBlockingStub within(long minutes) {
        return NodeGrpc.newBlockingStub(channel).withDeadlineAfter(minutes, TimeUnit.MINUTES);
    }

    /** @throws StatusRuntimeException if it does not answer */
    NodeInfo describe() {
        DescribeReply reply = NodeGrpc.newBlockingStub(channel)
                .withDeadlineAfter(DESCRIBE_SECONDS, TimeUnit.SECONDS)
                .describe(DescribeRequest.getDefaultInstance());
        name = reply.getNode();
        return Wire.node(address, reply);
    }

    /** What a failed call says to a user. Our nodes send whole sentences; the transport's own words are replaced. */
    ClusterException failure(Throwable error) {
        if (error instanceof ClusterException known) {
            return known;
        }
        Status status = Status.fromThrowable(error);
        String words = status.getDescription() == null ? "" : status.getDescription();
        boolean sentence = words.contains("node ") || words.contains("deployment ") || words.startsWith("the ");
        return switch (status.getCode()) {
            case UNAVAILABLE ->
                sentence && !words.contains("exception")
                        ? new NodeLostException(words, error)
                        : new NodeLostException(lost("its connection closed"), error);
            case DEADLINE_EXCEEDED ->
                new ClusterException(
                        sentence ? words : toString() + " did not answer in time: run `%cluster` to see the nodes",
                        error);
            default ->
                new ClusterException(sentence ? words : toString() + ": " + status.getCode() + " " + words, error);
        };
    }

    /** The sentence for a node that is gone. */
    String lost(String reason) {
        return this + " is lost: " + reason
                + "; run `%cluster` to see the nodes, `%model load` to place the model again";
    }

    @Override
    public String toString() {
        return name.equals(address) ? "node " + address : "node " + name + " (" + address + ")";
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
