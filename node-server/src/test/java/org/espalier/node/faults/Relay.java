package org.espalier.node.faults;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.espalier.DaemonThreads;

/**
 * A TCP link on loopback that breaks on command: whoever connects to it is connected to its target, and the bytes of either direction can
 * be delayed, slowed down, held back and let go, and the connections cut in order or reset. It needs no rights and nothing of the system's.
 */
final class Relay implements AutoCloseable {

    /** Which way bytes go. */
    enum Way {
        TO_TARGET,
        TO_CALLER;

        private Way other() {
            return this == TO_TARGET ? TO_CALLER : TO_TARGET;
        }
    }

    /** How much may lie here a connection and way; then nothing more is read, as on a link that is full. */
    private static final int ROOM = 1 << 20;

    private final ServerSocket listening;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final Map<Way, AtomicLong> passed = new EnumMap<>(Way.class);
    private final Set<Way> held = ConcurrentHashMap.newKeySet();
    private volatile Map<Way, Duration> delays = Map.of(Way.TO_TARGET, Duration.ZERO, Way.TO_CALLER, Duration.ZERO);
    private volatile long bytesPerSecond = Long.MAX_VALUE;
    private volatile InetSocketAddress target;

    /** @param target host:port, see {@link #to} */
    Relay(String target) throws IOException {
        listening = new ServerSocket(0, 128, InetAddress.getByName("127.0.0.1"));
        for (Way way : Way.values()) {
            passed.put(way, new AtomicLong());
        }
        to(target);
        new DaemonThreads("relay").newThread(this::accept).start();
    }

    /** Where callers connect to. */
    String address() {
        return "127.0.0.1:" + listening.getLocalPort();
    }

    /** Connections are made to this address from now on. */
    void to(String address) {
        int colon = address.lastIndexOf(':');
        target = new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
    }

    /** Bytes that have left the relay this way. */
    long passed(Way way) {
        return passed.get(way).get();
    }

    /** Connections that stand. */
    int connections() {
        return connections.size();
    }

    /** Nothing gets through this way, on new connections too, until {@link #release}. */
    void hold(Way way) {
        held.add(way);
    }

    /** What was held goes on, in its order. */
    void release(Way way) {
        held.remove(way);
        wake();
    }

    /** Bytes that come from now on leave so much later. */
    void delay(Way way, Duration delay) {
        Map<Way, Duration> changed = new EnumMap<>(delays);
        changed.put(way, delay);
        delays = changed;
    }

    /** No more gets through either way a connection and second, from now on. */
    void throttle(long bytes) {
        bytesPerSecond = bytes;
    }

    /** Ends all connections in order: what both sides read is the end. What lies here is lost. */
    void cut() {
        connections.forEach(connection -> connection.end(false));
    }

    /** Ends all connections as a system does that knows nothing of them. */
    void reset() {
        connections.forEach(connection -> connection.end(true));
    }

    private void wake() {
        for (Connection connection : connections) {
            for (Lane lane : connection.lanes.values()) {
                lane.wake();
            }
        }
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket caller = listening.accept();
                Socket callee = new Socket();
                try {
                    callee.connect(target, 1000);
                } catch (IOException e) {
                    reset(caller); // nothing listens there
                    continue;
                }
                new Connection(caller, callee).start();
            } catch (IOException e) {
                // closed: the loop's condition says so
            }
        }
    }

    private static void reset(Socket socket) throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        listening.close();
        held.clear();
        cut();
    }

    private final class Connection {
        private final Map<Way, Lane> lanes = new EnumMap<>(Way.class);
        private boolean ended;

        Connection(Socket caller, Socket callee) throws IOException {
            caller.setTcpNoDelay(true);
            callee.setTcpNoDelay(true);
            lanes.put(Way.TO_TARGET, new Lane(this, Way.TO_TARGET, caller, callee));
            lanes.put(Way.TO_CALLER, new Lane(this, Way.TO_CALLER, callee, caller));
        }

        private void start() {
            connections.add(this);
            lanes.values().forEach(Lane::start);
        }

        private synchronized void end(boolean abruptly) {
            if (ended) {
                return;
            }
            ended = true;
            connections.remove(this);
            for (Lane lane : lanes.values()) {
                try {
                    if (abruptly) {
                        reset(lane.from);
                    } else {
                        lane.from.close();
                    }
                } catch (IOException e) {
                    // it is closed already
                }
                lane.close();
            }
        }
    }

    private record Chunk(byte[] bytes, long due) {}

    /** One way of a connection: a thread reads, another writes each chunk when it is due. */
    private final class Lane {
        private final Connection connection;
        private final Way way;
        private final Socket from;
        private final Socket to;
        private final Deque<Chunk> waiting = new ArrayDeque<>();
        private int bytes;
        private boolean read; // to its end
        private boolean closed;

        Lane(Connection connection, Way way, Socket from, Socket to) {
            this.connection = connection;
            this.way = way;
            this.from = from;
            this.to = to;
        }

        void start() {
            new DaemonThreads("relay-reads").newThread(this::read).start();
            new DaemonThreads("relay-writes").newThread(this::write).start();
        }

        synchronized void close() {
            closed = true;
            notifyAll();
        }

        synchronized void wake() {
            notifyAll();
        }

        private void read() {
            byte[] buffer = new byte[64 << 10];
            try {
                InputStream in = from.getInputStream();
                for (int n = in.read(buffer); n >= 0 && put(Arrays.copyOf(buffer, n)); ) {
                    n = in.read(buffer);
                }
                synchronized (this) {
                    read = true;
                    notifyAll();
                }
            } catch (IOException e) {
                connection.end(true);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e); // nobody interrupts it
            }
        }

        private synchronized boolean put(byte[] chunk) throws InterruptedException {
            while (bytes > ROOM && !closed) {
                wait();
            }
            waiting.add(new Chunk(chunk, System.nanoTime() + delays.get(way).toNanos()));
            bytes += chunk.length;
            notifyAll();
            return !closed;
        }

        private void write() {
            try {
                for (Chunk chunk = take(); chunk != null; chunk = take()) {
                    passed.get(way).addAndGet(chunk.bytes.length); // before anybody can have read them
                    to.getOutputStream().write(chunk.bytes);
                    TimeUnit.NANOSECONDS.sleep((long) (1e9 * chunk.bytes.length / bytesPerSecond));
                }
                ended();
            } catch (IOException e) {
                connection.end(true);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e); // nobody interrupts it
            }
        }

        private void ended() throws IOException {
            Lane back = connection.lanes.get(way.other());
            synchronized (this) {
                if (closed) {
                    return;
                }
            }
            boolean both;
            synchronized (back) {
                both = back.read;
            }
            if (both) {
                connection.end(false);
            } else {
                to.shutdownOutput();
            }
        }

        /** The next chunk once it is due and nothing holds it; null at the end. */
        private synchronized Chunk take() throws InterruptedException {
            while (true) {
                if (closed || read && waiting.isEmpty()) {
                    return null;
                }
                long left = waiting.isEmpty() ? 0 : waiting.peek().due - System.nanoTime();
                if (waiting.isEmpty() || held.contains(way)) {
                    wait();
                } else if (left > 0) {
                    wait(left / 1_000_000, (int) (left % 1_000_000));
                } else {
                    Chunk chunk = waiting.poll();
                    bytes -= chunk.bytes.length;
                    notifyAll();
                    return chunk;
                }
            }
        }
    }
}
