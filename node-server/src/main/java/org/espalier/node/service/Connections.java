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
import java.net.SocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.espalier.DaemonThreads;
import org.espalier.transport.ServedCaller;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections of a node: the threads that serve them, and how many there may be, counted from the moment they are accepted. A few beyond the
 * limit live for some seconds, in which they are told so; one of another node of a ring stays.
 */
final class Connections implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

    /** How many may stand beyond the limit. */
    private static final int BEYOND = 32;

    /** How long they may, unless they carry a link: for a handshake and a call. */
    private static final int BEYOND_SECONDS = 5;

    private final String node;
    private final Limits limits;
    private final AtomicInteger open = new AtomicInteger();

    /** Those beyond the limit, by whom they come from. */
    private final Map<SocketAddress, Beyond> beyond = new ConcurrentHashMap<>();

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
                boolean late = isOneTooMany(connection);
                if (late && open.get() > limits.of(Limit.CONNECTIONS) + BEYOND) {
                    connection.unsafe().closeForcibly();
                    open.decrementAndGet();
                    // A failure would be logged by Netty for each.
                    return new DefaultChannelPromise(connection, GlobalEventExecutor.INSTANCE).setSuccess();
                }
                ServedCaller.watch(connection);
                connection.closeFuture().addListener(closed -> open.decrementAndGet());
                if (!late) {
                    return super.register(connection);
                }
                Beyond entered = enter(connection); // before a call can come
                ChannelFuture registered = super.register(connection);
                connection.eventLoop().schedule(() -> entered.end(connection), BEYOND_SECONDS, TimeUnit.SECONDS);
                return registered;
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
                // CallLimit refuses with a sentence first; what HTTP/2 holds back here is answered as soon as it comes.
                .maxConcurrentCallsPerConnection((int) Math.min(Integer.MAX_VALUE, limits.of(Limit.CALLS) + 64L))
                .handshakeTimeout(limits.of(Limit.HANDSHAKE_SECONDS), TimeUnit.SECONDS);
    }

    /** The first of those that are refused is said, and how many there were once one has room again. */
    private boolean isOneTooMany(Channel connection) {
        int most = limits.of(Limit.CONNECTIONS);
        if (open.incrementAndGet() > most) {
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
        return false;
    }

    private Beyond enter(Channel connection) {
        Beyond entered = new Beyond();
        SocketAddress peer = connection.remoteAddress();
        if (peer != null) { // otherwise it is gone already
            beyond.put(peer, entered);
            connection.closeFuture().addListener(closed -> beyond.remove(peer, entered));
        }
        return entered;
    }

    /** A connection beyond the limit. */
    private static final class Beyond {
        private volatile boolean kept;

        private void end(Channel connection) {
            if (!kept) {
                connection.close();
            }
        }
    }

    /** Whether calls on the connection from there are served: it is within the limit. */
    boolean serves(SocketAddress peer) {
        return !beyond.containsKey(peer);
    }

    /** Keeps the connection from there, which carries a ring's link, although it is beyond the limit. */
    void keep(SocketAddress peer) {
        Beyond late = beyond.get(peer);
        if (late != null) {
            late.kept = true;
        }
    }

    /** Once the server has ended. */
    @Override
    public void close() {
        accepts.shutdownGracefully(0, 0, TimeUnit.SECONDS);
        serves.shutdownGracefully(0, 0, TimeUnit.SECONDS);
    }
}
