package org.espalier.transport;

import java.net.SocketAddress;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * Why connections to a listener failed before the first call, one line each. gRPC tells it to nobody but a logger of its own, at a level for
 * debugging; whoever runs the node has to hear who was refused. What {@link PeerTrust} refuses it says itself.
 */
final class HandshakeLog extends Handler {

    private static final String NETTY = "io.grpc.netty.shaded.io.grpc.netty.";

    /** Held, or the log manager forgets what was set. */
    private static final Logger HANDSHAKES = Logger.getLogger(NETTY + "WriteBufferingAndExceptionHandler");

    private static final Logger CONNECTIONS = Logger.getLogger(NETTY + "NettyServerTransport.connections");

    private static boolean installed;

    private final RefusalLog log;

    private HandshakeLog(RefusalLog log) {
        this.log = log;
    }

    /** From now on, for all listeners of this process. */
    static synchronized void install(RefusalLog log) {
        if (!installed) {
            installed = true;
            HandshakeLog handler = new HandshakeLog(log);
            HANDSHAKES.setUseParentHandlers(false);
            HANDSHAKES.setLevel(Level.FINE);
            HANDSHAKES.addHandler(handler);
            CONNECTIONS.setUseParentHandlers(false);
            CONNECTIONS.setLevel(Level.INFO);
            CONNECTIONS.addHandler(handler);
        }
    }

    /** Says that the caller whose connection this thread serves got none. */
    static void refused(RefusalLog log, String reason) {
        SocketAddress caller = ServedCaller.now().orElse(null);
        log.say(caller, "no connection with a caller" + (caller == null ? "" : " at " + caller) + ": " + reason);
    }

    @Override
    public void publish(LogRecord record) {
        Handshake.reason(record.getThrown())
                .filter(reason -> !Handshake.isOfACertificate(reason))
                .ifPresent(reason -> refused(log, reason));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
