package org.espalier.node.service;

import io.grpc.Codec;
import io.grpc.DecompressorRegistry;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.espalier.DaemonThreads;
import org.espalier.EspalierException;
import org.espalier.engine.EngineOptions;
import org.espalier.node.ring.agent.RingAgent;
import org.espalier.node.ring.agent.RingMember;
import org.espalier.node.shard.Engines;
import org.espalier.transport.Channels;
import org.espalier.transport.Listening;

/** A node: serves {@code Node}, {@code Ring}, health and reflection until it is closed. */
public final class NodeServer implements AutoCloseable {

    /** Less than the 5 s that the process has, by what the JVM itself takes to end. */
    private static final long EXIT_MILLIS = 4500;

    /** For failures to be written to whoever waits for answers. */
    private static final long LAST_WORDS_MILLIS = 500;

    private final Server server;
    private final Listening listening;
    private final String name;
    private final ShardLoader loader;
    private final Deployments deployments;
    private final NodeService nodeService;
    private final TickClock clock;
    private final Connections connections;
    private int port;

    private NodeServer(
            Server server,
            NodeOptions options,
            ShardLoader loader,
            Deployments deployments,
            NodeService nodeService,
            TickClock clock,
            Connections connections) {
        this.server = server;
        this.listening = options.listening();
        this.name = options.name();
        this.loader = loader;
        this.deployments = deployments;
        this.nodeService = nodeService;
        this.clock = clock;
        this.connections = connections;
    }

    /**
     * Starts a node that serves models from this machine's files at once.
     *
     * @throws EspalierException if the address is not this machine's own, the port is in use, or the certificate does not fit
     */
    public static NodeServer start(NodeOptions options) {
        Engines engines = new Engines(options.engine());
        EngineOptions loads = options.loads()
                .withKv(options.loads().kvType(), (long) options.limits().of(Limit.KV_MEGABYTES) << 20);
        return start(
                options, new ModelShards(options.modelRoots(), engines, loads, Machine::freeBytes, options.limits()));
    }

    /**
     * As {@link #start(NodeOptions)}, with shards from elsewhere.
     *
     * @param loader closed with the node
     * @throws EspalierException if the address is not this machine's own, the port is in use, or the certificate does not fit
     */
    public static NodeServer start(NodeOptions options, ShardLoader loader) {
        Listening listening = options.listening();
        InetSocketAddress address = listening.check(options.name());
        TickClock clock = new TickClock();
        RingAgent agent = new RingAgent(
                new Channels(listening.credentials()), options.limits().ofRings());
        Attachments attachments = new Attachments(options.name(), clock);
        Deployments deployments = new Deployments(options, loader, attachments, agent);
        attachments.onGone(deployments::clientGone);
        NodeService nodeService = new NodeService(options, loader, deployments, attachments);
        Connections connections = new Connections(options.name(), options.limits());
        RequestSize sizes = new RequestSize(options.name(), options.limits());
        // Netty's builder, since the generic one listens on every interface. A direct executor, since all our callbacks
        // only enqueue.
        NettyServerBuilder builder = NettyServerBuilder.forAddress(address, listening.serverCredentials())
                .directExecutor()
                .maxInboundMessageSize(RingMember.MAX_MESSAGE_BYTES)
                .addStreamTracerFactory(sizes)
                .intercept(sizes)
                // What is compressed may become larger than what RequestSize counts.
                .decompressorRegistry(DecompressorRegistry.emptyInstance().with(Codec.Identity.NONE, false))
                .permitKeepAliveTime(10, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .intercept(new CallLimit(options.name(), options.limits(), connections))
                .intercept(listening.callerCheck(options.name()))
                .intercept(new ClientConnection());
        connections.configure(builder);
        List.of(
                        nodeService,
                        new RingService(options.name(), agent, deployments),
                        new HealthStatusManager().getHealthService(),
                        ProtoReflectionServiceV1.newInstance())
                .forEach(service -> builder.addService(UnreadableRequests.passedOn(service)));
        Server server = builder.build();
        NodeServer node = new NodeServer(server, options, loader, deployments, nodeService, clock, connections);
        try {
            server.start();
            node.port = server.getPort();
        } catch (IOException e) {
            node.close();
            throw new EspalierException(
                    "cannot listen on " + listening.host() + ":" + listening.port()
                            + ": the port is in use or not allowed; choose another, 0 for any free one",
                    e);
        }
        return node;
    }

    public String name() {
        return name;
    }

    public int port() {
        return port;
    }

    /** As clients connect to it: host:port in plain text, otherwise {@code tls://host:port}. */
    public String address() {
        return listening.address(port).toString();
    }

    /** This node in the ring of a deployment, for operations that clients cannot ask for yet. */
    RingMember member(String deployment, long epoch) {
        return deployments.member(deployment, epoch);
    }

    /** Waits until the node is closed. */
    public void await() throws InterruptedException {
        server.awaitTermination();
    }

    /** Closes the node when the process ends, also by a signal. Whatever hangs, the process ends within 5 s. */
    public void closeAtExit() {
        DaemonThreads threads = new DaemonThreads("espalier-shutdown");
        Thread hook = threads.newThread(() -> {
            Thread closes = threads.newThread(this::close);
            closes.start();
            try {
                closes.join(EXIT_MILLIS);
            } catch (InterruptedException e) {
                // nobody interrupts it; it ends all the same
            }
            if (closes.isAlive()) { // loggers may be closed by now
                System.err.println("node " + name + " ends although something still runs after " + EXIT_MILLIS + " ms");
            }
        });
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException e) { // the process ends already
            hook.run();
        }
    }

    /**
     * Refuses new calls, leaves its rings, frees all shards and stops listening; running generations fail with a message that names this
     * node.
     */
    @Override
    public void close() {
        nodeService.refuse();
        server.shutdown();
        deployments.close();
        try {
            if (!server.awaitTermination(LAST_WORDS_MILLIS, TimeUnit.MILLISECONDS)) {
                server.shutdownNow().awaitTermination(LAST_WORDS_MILLIS, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        }
        clock.close();
        nodeService.close();
        connections.close();
        loader.close();
    }

    /** Ends at once without telling anybody, as a machine that loses power does; for tests. */
    void crash() {
        deployments.dropLinks(); // or it would still report its neighbours as lost
        server.shutdownNow();
        clock.close();
        deployments.close();
        nodeService.close();
        connections.close();
        loader.close();
    }
}
