package org.espalier.kernel.jupyter;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ProtocolException;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One connection of a {@link Router}: a thread reads messages, another writes those that wait, which are bounded in bytes. */
final class Peer {

    private static final Logger LOG = LoggerFactory.getLogger(Peer.class);

    /** What waits to be written at most, where it is more than one message. */
    static final int WAITING_BYTES = 32 << 20;

    /** With more than this waiting, nothing more is read: a client that does not read its replies gets no further ones. */
    static final int UNREAD_BYTES = 4 << 20;

    /** Frames of one message. */
    private static final int FRAMES = 1000;

    private static final Set<String> KINDS = Set.of("DEALER", "REQ", "ROUTER");

    private final Socket socket;
    private final long messageBytes;
    private final Pace pace = new Pace();
    private final Deque<byte[]> waiting = new ArrayDeque<>();
    /** Of all that is not written yet. */
    private long bytes;

    private boolean closed;

    /** @param messageBytes a larger frame ends the connection, a larger message is dropped */
    Peer(Socket socket, long messageBytes) {
        this.socket = socket;
        this.messageBytes = messageBytes;
    }

    /** What is told of a connection, on the thread that reads it. */
    interface Listener {

        /** @param identity what the other side calls itself; may be empty */
        void joined(byte[] identity) throws IOException;

        void message(List<byte[]> frames);
    }

    /** Shakes hands and reads messages until the connection ends. */
    void read(Listener listener) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        Map<String, byte[]> properties = Zmtp.shakeHands(socket, in, "ROUTER");
        String kind = Zmtp.text(properties.getOrDefault("Socket-Type", new byte[0]));
        if (!KINDS.contains(kind)) {
            throw new ProtocolException("expected one of the sockets " + KINDS + ", not " + kind);
        }
        listener.joined(properties.getOrDefault("Identity", new byte[0]));
        List<byte[]> frames = new ArrayList<>();
        int count = 0;
        long read = 0;
        while (awaitReading()) {
            Zmtp.Frame frame = Zmtp.read(in, messageBytes);
            if (frame.isCommand()) {
                Zmtp.pong(frame).ifPresent(this::add);
                continue;
            }
            count++;
            read += frame.body().length;
            if (count <= FRAMES && read <= messageBytes) {
                frames.add(frame.body());
            }
            if (!frame.isLast()) {
                continue;
            }
            pace.keep();
            if (frames.size() == count) {
                listener.message(frames);
            } else {
                LOG.warn("dropped a message of {} frames and {} bytes", count, read);
            }
            frames = new ArrayList<>();
            count = 0;
            read = 0;
        }
    }

    /** Waits until the other side has read most of its replies; false at the end of the connection. */
    private synchronized boolean awaitReading() {
        while (bytes > UNREAD_BYTES && !closed) {
            try {
                wait();
            } catch (InterruptedException e) {
                // by code that interrupts every thread it finds: this one ends with its connection
            }
        }
        return !closed;
    }

    /** Sends bytes after those that wait; ends the connection where there is no room, since nothing is left out of the middle of it. */
    synchronized void add(byte[] wire) {
        if (closed) {
            return;
        }
        if (bytes > 0 && bytes + wire.length > WAITING_BYTES) {
            LOG.warn("closed the connection of a client that does not read its replies: {} bytes wait for it", bytes);
            close();
            return;
        }
        waiting.add(wire);
        bytes += wire.length;
        notifyAll();
    }

    /** Writes what waits, and what comes, until the connection ends. */
    void write() throws IOException {
        try {
            OutputStream out = socket.getOutputStream();
            for (byte[] next = next(); next != null; next = next()) {
                out.write(next);
                written(next);
            }
        } finally {
            close(); // so that whoever waits for it to be written waits no longer
        }
    }

    private synchronized byte[] next() {
        while (waiting.isEmpty() && !closed) {
            try {
                wait();
            } catch (InterruptedException e) {
                // by code that interrupts every thread it finds: this one ends with its connection
            }
        }
        return waiting.poll();
    }

    private synchronized void written(byte[] wire) {
        bytes -= wire.length;
        notifyAll();
    }

    /** Waits until all is written, for so long at most. */
    synchronized void awaitWritten(long millis) throws InterruptedException {
        long end = System.nanoTime() + millis * 1_000_000;
        long left = millis;
        while (bytes > 0 && !closed && left > 0) {
            wait(left);
            left = (end - System.nanoTime()) / 1_000_000;
        }
    }

    synchronized void close() {
        closed = true;
        waiting.clear();
        notifyAll();
        try {
            socket.close();
        } catch (IOException e) {
            // it is closed all the same
        }
    }
}
