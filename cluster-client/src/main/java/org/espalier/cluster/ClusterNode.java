package org.espalier.cluster;

import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.lang.System.Logger.Level;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.espalier.DaemonThreads;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.transport.Channels;
import org.espalier.transport.NodeAddress;
import org.espalier.transport.PeerIdentity;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.DescribeRequest;
import org.espalier.v1.NodeGrpc;

/** The client's connection to one node, and its calls' failures as exceptions. */
final class ClusterNode implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(ClusterNode.class.getName());

    /** A node that is gone fails at once; this is for one whose JVM has just started on a busy machine. */
    private static final int DESCRIBE_SECONDS = 15;

    private static final int UNARY_SECONDS = 20;

    /** What a channel does between two states takes microseconds, unless the machine is very busy. */
    private static final int IDLE_SECONDS = 1;

    /** Room for the logits of a large vocabulary (256 Ki x 4 bytes) or the routing of a whole chunk. */
    private static final int MAX_MESSAGE_BYTES = 64 << 20;

    /** What gRPC calls back on; its own threads would belong to the cell that needs them first. */
    private static final ExecutorService CALLBACKS = Executors.newCachedThreadPool(new DaemonThreads("espalier-calls"));

    private final NodeAddress where;
    private final String address;
    private final String expected;
    private final PeerIdentity identity;
    private final ManagedChannel channel;
    private volatile String name;
    private volatile String advertised = "";
    private volatile NodeInfo lastAnswer;

    /** @throws org.espalier.EspalierException if the address is refused */
    ClusterNode(NodeAddress where, Channels channels) {
        this(where, "", channels);
    }

    /** @param expected the node's name; empty for whichever answers */
    ClusterNode(NodeAddress where, String expected, Channels channels) {
        this.expected = expected;
        this.identity = expected.isEmpty() ? PeerIdentity.anyNode() : PeerIdentity.of(expected);
        this.where = where;
        this.address = where.toString();
        this.name = address;
        this.channel = channels.toAddress(where, identity)
                .executor(CALLBACKS)
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .keepAliveTime(20, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .build();
    }

    String address() {
        return address;
    }

    /**
     * Connected, or ready to connect: gRPC would fail calls, for up to two minutes, until it tries again to reach a node that was gone. A call
     * that has just failed is answered before the channel's state says so, hence the wait for what the channel is still doing.
     */
    private ManagedChannel channel() {
        if (channel.getState(false) != ConnectivityState.READY && !channel.isShutdown()) {
            channel.enterIdle();
            CountDownLatch idle = new CountDownLatch(1);
            channel.notifyWhenStateChanged(ConnectivityState.SHUTDOWN, idle::countDown);
            try {
                if (!idle.await(IDLE_SECONDS, TimeUnit.SECONDS)) {
                    LOG.log(Level.WARNING, "the channel to {0} is busy: a call may fail that would not later", address);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return channel;
    }

    /** The node's own name; the address until it has answered once. */
    String name() {
        return name;
    }

    /** What it last said of itself; empty until it has answered once. */
    Optional<NodeInfo> lastAnswer() {
        return Optional.ofNullable(lastAnswer);
    }

    NodeGrpc.NodeStub calls() {
        return NodeGrpc.newStub(channel());
    }

    NodeGrpc.NodeBlockingStub unary() {
        return NodeGrpc.newBlockingStub(channel()).withDeadlineAfter(UNARY_SECONDS, TimeUnit.SECONDS);
    }

    /** For calls that say how far they are: they are read with a limit, and have none as a whole. */
    NodeGrpc.NodeBlockingV2Stub progress() {
        return NodeGrpc.newBlockingV2Stub(channel());
    }

    /** @throws StatusRuntimeException if it does not answer */
    NodeInfo describe() {
        return describe(DescribeRequest.getDefaultInstance());
    }

    /**
     * As {@link #describe}, with the details that take it a while to find out.
     *
     * @param measures whether it is the one of its machine that measures how fast memory is read
     */
    NodeInfo describeInFull(boolean measures) {
        return describe(DescribeRequest.newBuilder()
                .setInFull(true)
                .setReadRate(measures)
                .build());
    }

    private NodeInfo describe(DescribeRequest request) {
        DescribeReply reply = NodeGrpc.newBlockingStub(channel())
                .withDeadlineAfter(DESCRIBE_SECONDS, TimeUnit.SECONDS)
                .describe(request);
        identity.node().filter(certified -> !certified.equals(reply.getNode())).ifPresent(certified -> {
            throw new ClusterException("the node at " + address + " calls itself " + reply.getNode()
                    + ", and its certificate is for node " + certified
                    + ": restart it with that `--name`, or without one");
        });
        if (!expected.isEmpty() && !expected.equals(reply.getNode())) {
            throw new ClusterException("the node at " + address + " is " + reply.getNode() + ", and " + expected
                    + " was remembered: connect to it by its address");
        }
        name = reply.getNode();
        advertised = reply.getAdvertised();
        lastAnswer = Wire.node(address, identity.expires(), reply);
        return lastAnswer;
    }

    /**
     * Where the other nodes of a ring dial it: what it advertises, otherwise where this client has reached it.
     *
     * @throws ClusterException if that is this client's own loopback, which no other machine would understand
     */
    String ringAddress() {
        if (!advertised.isEmpty()) {
            return advertised;
        }
        if (where.mode() == NodeAddress.Mode.TLS && where.isLoopback()) {
            throw new ClusterException(this + " was reached by loopback, which other nodes cannot dial: start it with"
                    + " `--advertise HOST:PORT`, or connect to it by an address of its machine");
        }
        return address;
    }

    NodeAddress.Mode mode() {
        return where.mode();
    }

    /** The first {@link #describe}: nothing may be listening at the address yet. */
    NodeInfo greet() {
        try {
            return describe();
        } catch (StatusRuntimeException e) {
            if (failure(e) instanceof NodeLostException) {
                throw new ClusterException(hasRefused(e) ? refused() : nothing(), e);
            }
            throw failure(e);
        }
    }

    private String nothing() {
        return where.mode() == NodeAddress.Mode.TLS
                ? "nothing answers at " + address + ": start a node there with `espalier-node serve --listen HOST:PORT"
                        + " --certificates FOLDER`, check the address, and whether a firewall lets it through"
                : "nothing answers at " + address
                        + ": start a node there with `espalier-node serve --port PORT`, or check the address";
    }

    private String refused() {
        return "what listens at " + address + " hung up"
                + (where.mode() == NodeAddress.Mode.PLAIN
                        ? " when it was spoken to in plain text: if it was started with `--listen`, write tls://"
                                + address
                        : "");
    }

    /** Whether there was a connection, and it closed. */
    private static boolean hasRefused(Throwable error) {
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof SocketException || cause instanceof UnknownHostException) {
                return cause.getMessage() != null && cause.getMessage().contains("reset");
            }
        }
        return true;
    }

    /** A call's error as an exception: the node's own failure, or what the status code or this side's error says. */
    ClusterException failure(Throwable error) {
        if (error instanceof ClusterException known) {
            return known;
        }
        if (error instanceof StatusRuntimeException || error instanceof StatusException) {
            return NodeException.of(FailureStatus.read(error, name, toString()), error);
        }
        return new ClusterException("the call to " + this + " failed here: " + error, error);
    }

    /** What keeps the node from being used, as {@link NodeInfo#problem} says it. */
    String problem(RuntimeException error) {
        ClusterException failure = failure(error);
        return failure instanceof NodeLostException ? "does not answer" : "cannot be used: " + failure.what();
    }

    /** Why a stream to the node ended: the failure it sent, otherwise the node is lost. */
    ClusterException ended(Throwable error) {
        return FailureStatus.details(error)
                .<ClusterException>map(failure -> NodeException.of(failure, error))
                .orElseGet(() -> lost("its connection closed"));
    }

    /** The exception for a node that is lost. */
    NodeLostException lost(String reason) {
        return new NodeLostException(
                new Failure(name, Failure.Kind.NODE_LOST, this + " is lost: " + reason).with(Remedy.AWAIT_REJOIN),
                null);
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
