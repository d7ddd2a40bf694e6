package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.dflib.jjava.jupyter.kernel.KernelConnectionProperties;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The five sockets of a kernel. */
public final class Connection implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

    /** Read before its signature can be checked. */
    private static final long MESSAGE_BYTES =
            Math.max(24L << 20, Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 8));

    private static final long HEARTBEAT_BYTES = 1 << 20;

    /** Answers that nobody waits for; more are dropped. */
    private static final int INPUTS = 16;

    private final String session = UUID.randomUUID().toString();
    private final Channel shell;
    private final Channel control;
    private final Channel stdin;
    private final Publisher iopub;
    private final Router heartbeat;
    private final BlockingQueue<Message> inputs = new ArrayBlockingQueue<>(INPUTS);

    /**
     * Binds all sockets; nothing is read before {@link #start}.
     *
     * @param onShell gets each request of the shell channel
     * @param onControl gets each request of the control channel
     */
    public Connection(KernelConnectionProperties properties, Receiver onShell, Receiver onControl)
            throws IOException, GeneralSecurityException {
        WireFormat format = new WireFormat(properties.createHMACGenerator());
        String host = properties.getIp();
        shell = new Channel("shell", host, properties.getShellPort(), MESSAGE_BYTES, format, onShell);
        control = new Channel("control", host, properties.getControlPort(), MESSAGE_BYTES, format, onControl);
        stdin = new Channel("stdin", host, properties.getStdinPort(), MESSAGE_BYTES, format, new Inputs());
        iopub = new Publisher(host, properties.getIopubPort(), format, session, Publisher.PATIENCE);
        heartbeat = new Router("heartbeat", host, properties.getHbPort(), HEARTBEAT_BYTES, this::beat);
    }

    static String address(KernelConnectionProperties properties, int port) {
        return properties.getTransport() + "://" + properties.getIp() + ":" + port;
    }

    private final class Inputs implements Receiver {
        @Override
        public void accept(Message message) {
            if (!inputs.offer(message)) {
                LOG.warn("dropped an answer: nobody asked");
            }
        }

        @Override
        public void refuse(Message message, String reason) {
            LOG.warn("an answer to a request for input was dropped: {}", reason);
        }
    }

    /** Everything comes back as it is. */
    private boolean beat(List<byte[]> frames) {
        heartbeat.send(frames);
        return true;
    }

    public void start() {
        shell.start();
        control.start();
        stdin.start();
        iopub.start();
        heartbeat.start();
        publish(Message.spontaneous("status", Message.object().put("execution_state", "starting"), session));
    }

    void replyOnShell(Message reply) {
        shell.send(reply);
    }

    void replyOnControl(Message reply) {
        control.send(reply);
    }

    /** Sends a message of the protocol to all clients, without waiting. */
    void publish(Message message) {
        iopub.publish(message, Outbox.Kind.PROTOCOL);
    }

    /** Sends output to all clients, as fast as they take it; waits no longer where this thread is interrupted. */
    void publishOutput(Message message) {
        iopub.publish(message, Outbox.Kind.OUTPUT);
    }

    /** Waits until clients have read most of what earlier requests caused; not for one that reads nothing. */
    void awaitReaders() {
        iopub.awaitReaders();
    }

    /** Whether output no longer waits for clients. */
    void hurry(boolean now) {
        iopub.hurry(now);
    }

    /** Asks the client of {@code request} for a line and waits for it, until this thread is interrupted. */
    String input(Message request, String prompt, boolean password) throws InterruptedException {
        inputs.clear();
        ObjectNode content = Message.object().put("prompt", prompt).put("password", password);
        stdin.send(request.reply("input_request", content));
        return inputs.take().content().path("value").asText();
    }

    /** Sends what is queued, then closes all sockets. */
    @Override
    public void close() {
        shell.close();
        control.close();
        stdin.close();
        iopub.close();
        heartbeat.close();
    }
}
