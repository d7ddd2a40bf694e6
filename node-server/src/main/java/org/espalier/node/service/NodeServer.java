package org.espalier.node.service;

import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import org.espalier.EspalierException;
import org.espalier.node.ring.RingClock;
import org.espalier.node.ring.RingMember;
import org.espalier.node.shard.Engines;
import org.espalier.transport.Channels;

/** A node: serves {@code Node}, {@code Ring}, health and reflection until it is closed. */
public final class NodeServer implements AutoCloseable {

    private final Server server;
    private final String host;
    private final String name;
    private final ShardLoader loader;
    private final Deployments deployments;
    private final NodeService nodeService;
    private final RingClock clock;
    private int port;

    private NodeServer(
            Server server,
            NodeOptions options,
            ShardLoader loader,
            Deployments deployments,
            NodeService nodeService,
            RingClock clock) {
        this.server = server;
        this.host = options.host();
        this.name = options.name();
        this.loader = loader;
        this.deployments = deployments;
        this.nodeService = nodeService;
        this.clock = clock;
    }

    /**
     * Starts a node that serves models from this machine's files at once.
     *
     * @throws EspalierException if the address is not this machine's own, or the port is in use
     */
    public static NodeServer start(NodeOptions options) {
        Engines engines = new Engines(options.engine());
        return start(options, new ModelShards(options.modelRoots(), engines, options.loads(), Machine::freeBytes));
    }

    /**
     * As {@link #start(NodeOptions)}, with shards from elsewhere.
     *
     * @param loader closed with the node
     * @throws EspalierException if the address is not this machine's own, or the port is in use
     */
    public static NodeServer start(NodeOptions options, ShardLoader loader) {
        InetSocketAddress address = address(options);
        RingClock clock = new RingClock();
        Attachments attachments = new Attachments(options.name(), clock);
        Deployments deployments = new Deployments(options.name(), loader, attachments, clock, Channels.anonymous());
        attachments.onGone(deployments::clientGone);
        NodeService nodeService = new NodeService(options.name(), loader, deployments, attachments);
        // Netty's builder, since the generic one listens on every interface. A direct executor, since all our callbacks
        // only enqueue.
        Server server = NettyServerBuilder.forAddress(address, InsecureServerCredentials.create())
                .directExecutor()
                .maxInboundMessageSize(RingMember.MAX_MESSAGE_BYTES)
                .permitKeepAliveTime(10, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .addService(nodeService)
                .addService(new RingService(options.name(), deployments))
                .addService(new HealthStatusManager().getHealthService())
                .addService(ProtoReflectionServiceV1.newInstance())
                .build();
        NodeServer node = new NodeServer(server, options, loader, deployments, nodeService, clock);
        try {
            server.start();
            node.port = server.getPort();
        } catch (IOException e) {
            node.close();
            throw new EspalierException(
                    "cannot listen on " + options.host() + ":" + options.port()
                            + ": the port is in use or not allowed; choose another with `--port`, 0 for any free one",
                    e);
        }
        return node;
    }

    private static InetSocketAddress address(NodeOptions options) {
        InetAddress host;
        try {
            host = InetAddress.getByName(options.host());
        } catch (UnknownHostException e) {
            throw new EspalierException("unknown host " + options.host() + ": serve on 127.0.0.1", e);
        }
        if (!host.isLoopbackAddress()) {
            throw new EspalierException("cannot serve on " + options.host()
                    + ": other addresses than loopback need TLS, which is not there yet; serve on 127.0.0.1");
        }
        if (options.port() < 0 || options.port() > 65535) {
            throw new EspalierException(
                    "port " + options.port() + " is not a valid port: choose 0 (any free one) to 65535");
        }
        return new InetSocketAddress(host, options.port());
    }

    public String name() {
        return name;
    }

    public int port() {
        return port;
    }

    /** host:port, as clients connect to it. */
    public String address() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }

    /** This node in the ring of a deployment, for operations that clients cannot ask for yet. */
    RingMember member(String deployment, long epoch) {
        return deployments.member(deployment, epoch);
    }

    /** Waits until the node is closed. */
    public void await() throws InterruptedException {
        server.awaitTermination();
    }

    /** Leaves its rings, frees all shards and stops listening; running generations fail with a message that names this node. */
    @Override
    public void close() {
        deployments.close();
        server.shutdown();
        try {
            if (!server.awaitTermination(1, TimeUnit.SECONDS)) {
                server.shutdownNow().awaitTermination(1, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        }
        clock.close();
        nodeService.close();
        loader.close();
    }

    /** Ends at once without telling anybody, as a machine that loses power does; for tests. */
    void crash() {
        deployments.dropLinks(); // or it would still report its neighbours as lost
        server.shutdownNow();
        clock.close();
        deployments.close();
        nodeService.close();
        loader.close();
    }
}
