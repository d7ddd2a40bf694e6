package org.espalier.kernel.jupyter;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ProtocolException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** One connection of a {@link Publisher}: a thread reads what it subscribes to, another writes what its outbox holds. */
final class Subscriber {

    /** A subscription is a few bytes. */
    private static final int FRAME_BYTES = 64 << 10;

    private static final int SUBSCRIPTIONS = 1000;
    private static final int WRITE_BYTES = 64 << 10;

    private final Socket socket;
    private final Publisher publisher;
    private final Outbox outbox;
    /** Topics, a byte a character; guarded by the publisher's monitor, like the outbox. */
    private final List<String> topics = new ArrayList<>();

    /** Whether a message is on its way; guarded like the outbox. */
    private boolean writing;

    private volatile boolean closed;
    private volatile boolean greeted;
    /** When it last took something, or had nothing to take. */
    private volatile long progress = System.nanoTime();

    Subscriber(Socket socket, Publisher publisher, Outbox outbox) {
        this.socket = socket;
        this.publisher = publisher;
        this.outbox = outbox;
    }

    Outbox outbox() {
        return outbox;
    }

    boolean wants(String firstFrame) {
        return topics.stream().anyMatch(firstFrame::startsWith);
    }

    void add(Message message, byte[] wire, Outbox.Kind kind) {
        if (!isBusy()) {
            progress = System.nanoTime();
        }
        outbox.add(message, wire, kind);
    }

    /** Whether something has still to be sent; the publisher's monitor is held. */
    boolean isBusy() {
        return writing || !outbox.isEmpty();
    }

    /** Whether hands have been shaken. */
    boolean isGreeted() {
        return greeted;
    }

    /** Whether it wants no messages; the publisher's monitor is held. */
    boolean isIdle() {
        return topics.isEmpty();
    }

    /** How long it has taken nothing. */
    long quietNanos() {
        return System.nanoTime() - progress;
    }

    /** Shakes hands, then reads subscriptions until the connection ends. */
    void read() throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        Zmtp.shakeHands(socket, in, "PUB");
        greeted = true;
        publisher.startThread(this::write, "out");
        while (true) {
            Zmtp.Frame frame = Zmtp.read(in, FRAME_BYTES);
            if (frame.isCommand()) {
                command(frame);
            } else if (frame.body().length > 0 && frame.isLast()) {
                subscription(frame.body()[0] == 1, Zmtp.rest(frame.body(), 1));
            }
        }
    }

    /** Subscriptions are commands since ZMTP 3.1, which also has a heartbeat. */
    private void command(Zmtp.Frame frame) throws ProtocolException {
        switch (Zmtp.name(frame)) {
            case "SUBSCRIBE" -> subscription(true, Zmtp.data(frame));
            case "CANCEL" -> subscription(false, Zmtp.data(frame));
            // others are to be ignored, says the specification
            default -> Zmtp.pong(frame).ifPresent(pong -> publisher.add(this, pong));
        }
    }

    private void subscription(boolean begins, byte[] topic) throws ProtocolException {
        String text = Zmtp.text(topic);
        synchronized (publisher) {
            if (!begins) {
                topics.remove(text);
                return;
            }
            if (topics.size() == SUBSCRIPTIONS) {
                throw new ProtocolException("more than " + SUBSCRIPTIONS + " subscriptions");
            }
            topics.add(text);
        }
        publisher.welcome(this, text);
    }

    private void write() throws IOException {
        OutputStream out = socket.getOutputStream();
        while (true) {
            byte[] bytes;
            synchronized (publisher) {
                writing = false;
                publisher.notifyAll(); // there is room
                while (outbox.isEmpty() && !closed) {
                    try {
                        publisher.wait();
                    } catch (InterruptedException e) {
                        // by code that interrupts every thread it finds: this one ends with its connection
                    }
                }
                if (closed) {
                    return;
                }
                bytes = outbox.take();
                writing = true;
            }
            for (int at = 0; at < bytes.length; at += WRITE_BYTES) {
                out.write(bytes, at, Math.min(WRITE_BYTES, bytes.length - at));
                progress = System.nanoTime();
            }
        }
    }

    void close() {
        closed = true;
        try {
            socket.close();
        } catch (IOException e) {
            // it is closed all the same
        }
    }
}
