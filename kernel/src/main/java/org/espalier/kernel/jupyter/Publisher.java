package org.espalier.kernel.jupyter;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The iopub socket: sends each message to all subscribers, in order, and waits where one of them is slow. No socket of the ZeroMQ library
 * does that: PUB loses what a slow subscriber has no room for, status messages too, or queues without end; XPUB that does not drop counts
 * messages, not bytes, lets one subscriber that hangs hold all others for ever, and tells neither who it is nor when it reads again.
 */
final class Publisher implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Publisher.class);

    /** How long a subscriber that takes nothing is waited for; tests have less. */
    static final Duration PATIENCE = Duration.ofSeconds(Integer.getInteger("espalier.patience", 30));

    /** Whoever asks waits so long for a subscriber that takes nothing. */
    private static final long QUIET_NANOS = 1_000_000_000;

    /** What the system keeps on this side: more would be out of sight of what waits for readers. */
    private static final int SYSTEM_BYTES = 64 << 10;

    private static final int SUBSCRIBERS = 64;
    private static final int CLOSING_MILLIS = 1000;

    private final Port port;
    private final WireFormat format;
    private final String session;
    private final Duration patience;
    private final List<Subscriber> subscribers = new ArrayList<>();
    private boolean hurried;

    Publisher(String host, int port, WireFormat format, String session, Duration patience) throws IOException {
        this.format = format;
        this.session = session;
        this.patience = patience;
        this.port = new Port("iopub", host, port);
    }

    int port() {
        return port.number();
    }

    void start() {
        port.start(this::serve);
    }

    void startThread(Port.Work work, String what) {
        port.startThread(work, what);
    }

    private void serve(Socket socket) throws IOException {
        socket.setSendBufferSize(SYSTEM_BYTES);
        Subscriber subscriber = new Subscriber(socket, this, new Outbox(this::missed));
        synchronized (this) {
            if (subscribers.size() == SUBSCRIBERS && !endsSilent()) {
                LOG.warn("refused a subscriber: there are {}", SUBSCRIBERS);
                socket.close();
                return;
            }
            subscribers.add(subscriber);
        }
        startThread(
                () -> {
                    try {
                        subscriber.read();
                    } finally {
                        remove(subscriber);
                    }
                },
                "in");
    }

    /**
     * Makes room: connections that say nothing must not keep clients out. Ends the oldest that has not shaken hands, or else the oldest that
     * subscribes to nothing.
     */
    private boolean endsSilent() {
        Optional<Subscriber> silent =
                subscribers.stream().filter(Subscriber::isIdle).min(Comparator.comparing(Subscriber::isGreeted));
        silent.ifPresent(subscriber -> {
            subscriber.close();
            subscribers.remove(subscriber);
        });
        return silent.isPresent();
    }

    private synchronized void remove(Subscriber subscriber) {
        subscriber.close();
        subscribers.remove(subscriber);
        notifyAll();
    }

    /**
     * Sends to all subscribers. Output waits until all have room; the wait ends early where this thread is interrupted, which stays so.
     */
    void publish(Message message, Outbox.Kind kind) {
        List<byte[]> frames = format.encode(message);
        byte[] wire = Zmtp.message(frames);
        String topic = WireFormat.topic(frames);
        synchronized (this) {
            if (kind == Outbox.Kind.OUTPUT) {
                awaitRoom(message, wire.length);
            }
            for (Iterator<Subscriber> all = subscribers.iterator(); all.hasNext(); ) {
                Subscriber subscriber = all.next();
                if (!subscriber.wants(topic)) {
                    continue;
                }
                subscriber.add(message, wire, kind);
                if (isEnded(subscriber)) {
                    all.remove();
                }
            }
            notifyAll();
        }
    }

    /** Ends a subscriber that has no room even for what is never left out. */
    private static boolean isEnded(Subscriber subscriber) {
        if (!subscriber.outbox().isOverflown()) {
            return false;
        }
        LOG.warn("closed the connection of a subscriber that reads nothing: even status messages fill its room");
        subscriber.close();
        return true;
    }

    private void awaitRoom(Message message, int bytes) {
        try {
            while (!hurried) {
                long least = Long.MAX_VALUE;
                for (Subscriber subscriber : subscribers) {
                    if (subscriber.outbox().isFull(bytes)) {
                        long left = patience.toNanos() - subscriber.quietNanos();
                        if (left <= 0) {
                            LOG.warn(
                                    "a subscriber read nothing for {} s: output goes on without it",
                                    patience.toSeconds());
                            subscriber.outbox().giveUp(message);
                        } else {
                            least = Math.min(least, left);
                        }
                    }
                }
                if (least == Long.MAX_VALUE) {
                    return;
                }
                wait(least / 1_000_000 + 1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // it is sent all the same: outboxes are bounded without waiting, too
        }
    }

    /** Waits until all subscribers have read most of what the protocol had for them; not for one that took nothing for a second. */
    synchronized void awaitReaders() {
        while (true) {
            long least = subscribers.stream()
                    .filter(subscriber -> subscriber.outbox().isBehind())
                    .mapToLong(subscriber -> QUIET_NANOS - subscriber.quietNanos())
                    .filter(left -> left > 0)
                    .min()
                    .orElse(0);
            if (least == 0) {
                return;
            }
            try {
                wait(least / 1_000_000 + 1);
            } catch (InterruptedException e) {
                return; // by code that interrupts every thread it finds
            }
        }
    }

    /** Whether output no longer waits: a cell that was interrupted has to end. */
    synchronized void hurry(boolean now) {
        hurried = now;
        notifyAll();
    }

    /** Says to a subscriber that its subscription is in force. */
    void welcome(Subscriber subscriber, String topic) {
        Message welcome = Message.spontaneous("iopub_welcome", Message.object().put("subscription", topic), session);
        add(subscriber, Zmtp.message(format.encode(welcome)));
    }

    /** Sends something to one subscriber. */
    synchronized void add(Subscriber subscriber, byte[] wire) {
        if (!subscribers.contains(subscriber)) {
            return; // it was ended while it still had requests in its buffer
        }
        subscriber.add(null, wire, Outbox.Kind.PROTOCOL);
        if (isEnded(subscriber)) {
            subscribers.remove(subscriber);
        }
        notifyAll();
    }

    private byte[] missed(Message first, long bytes) {
        String text = String.format(
                Locale.ROOT, "%n[this client read too slowly: %,d bytes of output were not sent to it]%n", bytes);
        Message notice =
                first.sibling("stream", Message.object().put("name", "stderr").put("text", text));
        return Zmtp.message(format.encode(notice));
    }

    /** Sends what waits, for a second at most, and ends all connections. */
    @Override
    public void close() {
        port.close();
        long end = System.nanoTime() + CLOSING_MILLIS * 1_000_000L;
        synchronized (this) {
            try {
                long left = CLOSING_MILLIS;
                while (left > 0 && subscribers.stream().anyMatch(Subscriber::isBusy)) {
                    wait(left);
                    left = (end - System.nanoTime()) / 1_000_000;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            subscribers.forEach(Subscriber::close);
            notifyAll();
        }
    }
}
