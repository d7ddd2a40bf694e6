package org.espalier.transport;

import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import java.net.SocketAddress;
import java.util.Optional;

/** Whose connection a thread serves at the moment: whoever refuses a certificate, or hears that a handshake failed, is not told with whom. */
public final class ServedCaller extends ChannelInboundHandlerAdapter {

    private static final ThreadLocal<SocketAddress> NOW = new ThreadLocal<>();

    private final SocketAddress address;

    private ServedCaller(SocketAddress address) {
        this.address = address;
    }

    /** From now on {@link #now} knows of a connection that was accepted. */
    public static void watch(Channel connection) {
        connection.pipeline().addFirst(new ServedCaller(connection.remoteAddress()));
    }

    static Optional<SocketAddress> now() {
        return Optional.ofNullable(NOW.get());
    }

    private void serve(Runnable event) {
        NOW.set(address);
        try {
            event.run();
        } finally {
            NOW.remove();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        serve(() -> context.fireChannelRead(message));
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        serve(context::fireChannelReadComplete);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        serve(context::fireChannelInactive);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        serve(() -> context.fireExceptionCaught(cause));
    }
}
