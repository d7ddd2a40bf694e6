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
 * A socket that gets requests and sends replies, and the one thread that owns it. The thread sleeps until a message comes in or another
 * thread has queued one to go out; a ZeroMQ socket must not be shared, and polling with a pause would put that pause on every cell.
 * What goes out are answers, so whoever asks bounds them.
 */
final class Channel implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Channel.class);

    /** Of one message in all, buffers included. */
    private static final int FRAMES = 1000;

    private final String name;
    private final ZMQ.Socket socket;
    private final ZContext context;
    private final WireFormat format;
    private final Receiver receiver;
    private final Consumer<Throwable> onLoss;
    private final long messageBytes;
    private final Queue<List<byte[]>> outgoing = new ConcurrentLinkedQueue<>();
    private final Pipe wake;
    /** Whether a byte lies in the pipe already, so that a flood of messages does not fill it. */
    private final AtomicBoolean woken = new AtomicBoolean();

    private final Thread thread;
    private volatile boolean closing;

    /**
     * @param messageBytes a larger frame ends its connection, a larger message is dropped
     * @param receiver gets each message on the owning thread
     * @param onLoss hears why the channel serves no longer
     */
    Channel(
            String name,
            ZContext context,
            String address,
            long messageBytes,
            WireFormat format,
            Receiver receiver,
            Consumer<Throwable> onLoss)
            throws IOException {
        this.name = name;
        this.context = context;
        this.format = format;
        this.receiver = receiver;
        this.onLoss = onLoss;
        this.messageBytes = messageBytes;
        this.wake = Pipe.open();
        wake.source().configureBlocking(false);
        socket = context.createSocket(SocketType.ROUTER);
        socket.setSndHWM(0); // a full ROUTER loses replies without a word
        socket.setMaxMsgSize(messageBytes);
        socket.setMsgAllocator(new FrameMemory(messageBytes));
        socket.setLinger(1000); // what is queued when the kernel ends still gets out
        socket.bind(address);
        thread = new DaemonThreads("espalier-" + name).newThread(this::run);
    }

    void start() {
        thread.start();
    }

    /** Sends from any thread, in order, without waiting. */
    void send(Message message) {
        outgoing.add(format.encode(message));
        wake();
    }

    private void wake() {
        if (woken.compareAndSet(false, true)) {
            boolean interrupted = Thread.interrupted(); // the pipe would be closed by it
            try {
                wake.sink().write(ByteBuffer.wrap(new byte[1]));
            } catch (IOException e) {
                if (!closing) {
                    onLoss.accept(e);
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void run() {
        try (ZMQ.Poller poller = context.createPoller(2)) {
            int incoming = poller.register(socket, ZMQ.Poller.POLLIN);
            int wakeUp = poller.register(wake.source(), ZMQ.Poller.POLLIN);
            while (!closing || !outgoing.isEmpty()) {
                poller.poll(-1);
                if (poller.pollin(wakeUp)) {
                    wake.source().read(ByteBuffer.allocate(1));
                    woken.set(false);
                }
                for (List<byte[]> frames = outgoing.poll(); frames != null; frames = outgoing.poll()) {
                    sendFrames(frames);
                }
                if (poller.pollin(incoming)) {
                    receive();
                }
            }
        } catch (IOException | RuntimeException | Error e) {
            if (!closing) {
                LOG.error("the {} channel ended", name, e);
                onLoss.accept(e);
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
        long bytes = 0;
        int count = 0;
        do {
            byte[] frame = socket.recv();
            bytes += frame.length;
            count++;
            if (bytes <= messageBytes && count <= FRAMES) {
                frames.add(frame);
            }
        } while (socket.hasReceiveMore());
        if (frames.size() < count) {
            LOG.warn("dropped a message on {} of {} frames and {} bytes", name, count, bytes);
            return;
        }
        try {
            receiver.accept(format.decode(frames));
        } catch (WireException e) {
            LOG.warn("refused on {}: {}", name, e.getMessage());
            e.request().ifPresent(request -> receiver.refuse(request, e.getMessage()));
        } catch (RuntimeException | Error e) {
            LOG.error("a message on {} could not be handled", name, e);
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
