package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.dflib.jjava.jupyter.kernel.KernelConnectionProperties;
import org.espalier.DaemonThreads;
import org.zeromq.SocketType;
import org.zeromq.ZContext;
import org.zeromq.ZMQ;

/** The five sockets of a kernel. */
public final class Connection implements AutoCloseable {

    private final ZContext context = new ZContext();
    private final String session = UUID.randomUUID().toString();
    private final Channel shell;
    private final Channel control;
    private final Channel stdin;
    private final Channel iopub;
    private final BlockingQueue<Message> inputs = new LinkedBlockingQueue<>();

    /**
     * Binds all sockets; nothing is read before {@link #start}.
     *
     * @param onShell gets each request of the shell channel, must not wait
     * @param onControl gets each request of the control channel, must not wait
     */
    public Connection(KernelConnectionProperties properties, Consumer<Message> onShell, Consumer<Message> onControl)
            throws IOException, GeneralSecurityException {
        WireFormat format = new WireFormat(properties.createHMACGenerator());
        shell = new Channel(
                "shell", context, SocketType.ROUTER, address(properties, properties.getShellPort()), format, onShell);
        control = new Channel(
                "control",
                context,
                SocketType.ROUTER,
                address(properties, properties.getControlPort()),
                format,
                onControl);
        stdin = new Channel(
                "stdin",
                context,
                SocketType.ROUTER,
                address(properties, properties.getStdinPort()),
                format,
                inputs::add);
        iopub = new Channel(
                "iopub", context, SocketType.PUB, address(properties, properties.getIopubPort()), format, null);
        heartbeat(address(properties, properties.getHbPort()));
    }

    static String address(KernelConnectionProperties properties, int port) {
        String separator = properties.getTransport().equals("ipc") ? "-" : ":";
        return properties.getTransport() + "://" + properties.getIp() + separator + port;
    }

    private void heartbeat(String address) {
        ZMQ.Socket socket = context.createSocket(SocketType.REP);
        socket.bind(address);
        new DaemonThreads("espalier-heartbeat")
                .newThread(() -> ZMQ.proxy(socket, socket, null))
                .start();
    }

    public void start() {
        shell.start();
        control.start();
        stdin.start();
        iopub.start();
        iopub.send(Message.spontaneous("status", Message.object().put("execution_state", "starting"), session));
    }

    void replyOnShell(Message reply) {
        shell.send(reply);
    }

    void replyOnControl(Message reply) {
        control.send(reply);
    }

    /** Sends to all clients. */
    public void publish(Message message) {
        iopub.send(message);
    }

    /** Asks the client of {@code request} for a line and waits for it. */
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
        // The context is not closed: the heartbeat's thread is in it, and the process ends now.
    }
}
