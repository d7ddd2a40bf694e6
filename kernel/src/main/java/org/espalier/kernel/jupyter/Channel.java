package org.espalier.kernel.jupyter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.espalier.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.SocketType;
import org.zeromq.ZContext;
import org.zeromq.ZMQ;

/**
 * A socket and the one thread that owns it. The thread sleeps until a message comes in or another thread has queued one to go out; a
 * ZeroMQ socket must not be shared, and polling with a pause would put that pause on every cell.
 */
final class Channel implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Channel.class);

    private final ZMQ.Socket socket;
    private final ZContext context;
    private final WireFormat format;
    private final Consumer<Message> receiver;
    private final Queue<Message> outgoing = new ConcurrentLinkedQueue<>();
    private final Pipe wake;
    /** Whether a byte lies in the pipe already, so that a flood of messages does not fill it. */
    private final AtomicBoolean woken = new AtomicBoolean();

    private final Thread thread;
    private volatile boolean closing;

    /**
     * @param receiver gets each message on the owning thread and must not wait; null for a socket that only sends
     */
    Channel(
            String name,
            ZContext context,
            SocketType type,
            String address,
            WireFormat format,
            Consumer<Message> receiver)
            throws IOException {
        this.context = context;
        this.format = format;
        this.receiver = receiver;
        this.wake = Pipe.open();
        wake.source().configureBlocking(false);
        socket = context.createSocket(type);
        socket.setSndHWM(0); // no limit: the default silently drops output beyond 1,000 messages
        socket.setRcvHWM(0);
        socket.setLinger(1000); // what is queued when the kernel ends still gets out
        socket.bind(address);
        thread = new DaemonThreads("espalier-" + name).newThread(this::run);
    }

    void start() {
        thread.start();
    }

    /** Sends from any thread, in order, without waiting. */
    void send(Message message) {
        outgoing.add(message);
        wake();
    }

    private void wake() {
        if (woken.compareAndSet(false, true)) {
            try {
                wake.sink().write(ByteBuffer.wrap(new byte[1]));
            } catch (IOException e) {
                LOG.debug("channel closed", e);
            }
        }
    }

    private void run() {
        try (ZMQ.Poller poller = context.createPoller(2)) {
            int incoming = receiver == null ? -1 : poller.register(socket, ZMQ.Poller.POLLIN);
            int wakeUp = poller.register(wake.source(), ZMQ.Poller.POLLIN);
            while (!closing || !outgoing.isEmpty()) {
                poller.poll(-1);
                if (poller.pollin(wakeUp)) {
                    wake.source().read(ByteBuffer.allocate(1));
                    woken.set(false);
                }
                for (Message message = outgoing.poll(); message != null; message = outgoing.poll()) {
                    sendFrames(format.encode(message));
                }
                if (incoming >= 0 && poller.pollin(incoming)) {
                    receive();
                }
            }
        } catch (IOException | RuntimeException e) {
            if (!closing) {
                LOG.error("channel ended", e);
            }
        }
        context.destroySocket(socket);
    }

    private void sendFrames(List<byte[]> frames) {
        for (int i = 0; i < frames.size() - 1; i++) {
            socket.send(frames.get(i), ZMQ.SNDMORE);
        }
        socket.send(frames.get(frames.size() - 1));
    }

    private void receive() {
        List<byte[]> frames = new ArrayList<>();
        do {
            frames.add(socket.recv());
        } while (socket.hasReceiveMore());
        try {
            receiver.accept(format.decode(frames));
        } catch (WireException e) {
            LOG.warn("dropped {}", e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("a message could not be handled", e);
        }
    }

    /** Sends what is queued and ends. */
    @Override
    public void close() {
        closing = true;
        wake();
        try {
            thread.join(2000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
