package org.espalier.node.service;

import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.ChannelFuture;
import io.grpc.netty.shaded.io.netty.channel.DefaultChannelPromise;
import io.grpc.netty.shaded.io.netty.channel.IoHandlerFactory;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.ServerChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioServerSocketChannel;
import io.grpc.netty.shaded.io.netty.util.concurrent.GlobalEventExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.espalier.DaemonThreads;
import org.espalier.transport.ServedCaller;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The connections of a node: the threads that serve them, and how many there may be, counted from the moment they are accepted. */
final class Connections implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

    private final String node;
    private final Limits limits;
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final MultiThreadIoEventLoopGroup accepts;
    private final MultiThreadIoEventLoopGroup serves;

    Connections(String node, Limits limits) {
        this.node = node;
        this.limits = limits;
        this.accepts = new MultiThreadIoEventLoopGroup(1, new DaemonThreads("espalier-accept"), threads());
        this.serves = new MultiThreadIoEventLoopGroup(0, new DaemonThreads("espalier-wire"), threads()) {
            @Override
            public ChannelFuture register(Channel connection) {
                if (isOneTooMany(connection)) {
                    connection.unsafe().closeForcibly();
                    // A failure would be logged by Netty for each.
                    return new DefaultChannelPromise(connection, GlobalEventExecutor.INSTANCE).setSuccess();
                }
                ServedCaller.watch(connection);
                return super.register(connection);
            }
        };
    }

    /** As gRPC chooses where nobody says it. */
    private static IoHandlerFactory threads() {
        return Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    }

    private static Class<? extends ServerChannel> listens() {
        return Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    }

    void configure(NettyServerBuilder server) {
        server.bossEventLoopGroup(accepts)
                .workerEventLoopGroup(serves)
                .channelType(listens())
                .maxConnectionIdle(limits.of(Limit.IDLE_SECONDS), TimeUnit.SECONDS)
                .maxConcurrentCallsPerConnection(limits.of(Limit.CALLS))
                .handshakeTimeout(limits.of(Limit.HANDSHAKE_SECONDS), TimeUnit.SECONDS);
    }

    /** The first of those that are refused is said, and how many there were once one has room again. */
    private boolean isOneTooMany(Channel connection) {
        int most = limits.of(Limit.CONNECTIONS);
        if (open.incrementAndGet() > most) {
            open.decrementAndGet();
            if (refused.getAndIncrement() == 0) {
                LOG.warn(
                        "node {} has {} {} and refuses further ones, as the one from {}",
                        node,
                        most,
                        Limit.CONNECTIONS,
                        connection.remoteAddress());
            }
            return true;
        }
        int others = refused.getAndSet(0);
        if (others > 0) {
            LOG.info("node {} takes connections again; it has refused {}", node, others);
        }
        connection.closeFuture().addListener(closed -> open.decrementAndGet());
        return false;
    }

    /** Once the server has ended. */
    @Override
    public void close() {
        accepts.shutdownGracefully(0, 0, TimeUnit.SECONDS);
        serves.shutdownGracefully(0, 0, TimeUnit.SECONDS);
    }
}
