package org.espalier.kernel.jupyter;

import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a ROUTER socket of ZeroMQ does: takes messages of all that connect, and sends each reply to the one whose identity it names. The library's own
 * keeps replies without end for a peer that does not read, or loses them without a word, and says neither; here the connection of such a peer ends.
 */
final class Router implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Router.class);

    private static final int PEERS = 64;
    private static final int CLOSING_MILLIS = 1000;

    /** Takes a message, one of each peer at a time; the first frame is the sender's identity. A peer is read no further before it returns. */
    interface Taker {
        /** Whether it was a message of a client that belongs here. */
        boolean take(List<byte[]> frames);
    }

    private final String name;
    private final Port port;
    private final long messageBytes;
    private final Taker taker;
    private final Set<Connected> connections = new LinkedHashSet<>();
    private final Map<ByteBuffer, Peer> peers = new HashMap<>();
    private final AtomicInteger unnamed = new AtomicInteger();

    /**
     * Binds it; nothing is read before {@link #start}.
     *
     * @param messageBytes a larger frame ends its connection, a larger message is dropped
     */
    Router(String name, String host, int port, long messageBytes, Taker taker) throws IOException {
        this.name = name;
        this.port = new Port(name, host, port);
        this.messageBytes = messageBytes;
        this.taker = taker;
    }

    int port() {
        return port.number();
    }

    void start() {
        port.start(this::serve);
    }

    private void serve(Socket socket) throws IOException {
        Connected connected = new Connected(new Peer(socket, messageBytes));
        synchronized (this) {
            if (connections.size() == PEERS && !endsSilent()) {
                LOG.warn("refused a client on {}: there are {}", name, PEERS);
                socket.close();
                return;
            }
            connections.add(connected);
        }
        try {
            port.startThread(connected::read, "in");
        } catch (OutOfMemoryError e) { // no more threads
            connected.peer.close();
            synchronized (this) {
                connections.remove(connected);
            }
            throw e;
        }
    }

    /**
     * Makes room: connections that say nothing must not keep clients out. Ends the oldest that has not shaken hands, or else the oldest that
     * has sent no message; a client of which that is true connects again by itself.
     */
    private boolean endsSilent() {
        Optional<Connected> silent = connections.stream()
                .filter(connected -> !connected.known)
                .min(Comparator.comparing(connected -> connected.identity != null));
        silent.ifPresent(connected -> {
            connected.peer.close();
            connections.remove(connected);
        });
        return silent.isPresent();
    }

    /** A connection, and what it is known by once hands are shaken. */
    private final class Connected implements Peer.Listener {

        private final Peer peer;
        /** Null before; guarded by the router. */
        private byte[] identity;
        /** Whether it has sent a message that belongs here. */
        private volatile boolean known;

        Connected(Peer peer) {
            this.peer = peer;
        }

        void read() throws IOException {
            try {
                peer.read(this);
            } finally {
                peer.close();
                synchronized (Router.this) {
                    connections.remove(this);
                    if (identity != null) {
                        peers.remove(ByteBuffer.wrap(identity), peer);
                    }
                }
            }
        }

        /** A client that connects again takes the place of its former connection, whose end may not have been noticed. */
        @Override
        public void joined(byte[] called) {
            // As the library names them: its own names begin with a zero, which no other may.
            byte[] name = called.length > 0 && called[0] != 0
                    ? called
                    : ByteBuffer.allocate(5)
                            .putInt(1, unnamed.incrementAndGet())
                            .array();
            Peer former;
            synchronized (Router.this) {
                identity = name;
                former = peers.put(ByteBuffer.wrap(identity), peer);
            }
            if (former != null) {
                former.close();
            }
            port.startThread(peer::write, "out");
        }

        @Override
        public void message(List<byte[]> frames) {
            List<byte[]> all = new ArrayList<>(frames.size() + 1);
            all.add(identity);
            all.addAll(frames);
            known |= taker.take(all);
        }
    }

    /** Sends a message to the peer that its first frame names, from any thread, in order, without waiting; one that is gone gets nothing. */
    void send(List<byte[]> frames) {
        Peer peer;
        synchronized (this) {
            peer = peers.get(ByteBuffer.wrap(frames.get(0)));
        }
        if (peer == null) {
            LOG.debug("nobody is left to send a message to on {}", name);
        } else {
            peer.add(Zmtp.message(frames.subList(1, frames.size())));
        }
    }

    /** Sends what waits, for a second at most, and ends all connections. */
    @Override
    public void close() {
        port.close();
        List<Peer> all;
        synchronized (this) {
            all = connections.stream().map(connected -> connected.peer).toList();
        }
        long end = System.nanoTime() + CLOSING_MILLIS * 1_000_000L;
        try {
            for (Peer peer : all) {
                peer.awaitWritten((end - System.nanoTime()) / 1_000_000);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        all.forEach(Peer::close);
    }
}
