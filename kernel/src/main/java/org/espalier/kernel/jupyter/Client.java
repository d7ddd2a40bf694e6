package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.dflib.jjava.jupyter.kernel.KernelConnectionProperties;
import org.espalier.EspalierException;
import org.zeromq.SocketType;
import org.zeromq.ZContext;
import org.zeromq.ZMQ;

/** A front end that asks on the shell channel and waits for each reply; what cells show is sent to it and not read. Belongs to one thread. */
public final class Client implements AutoCloseable {

    private final ZContext context = new ZContext();
    private final String session = UUID.randomUUID().toString();
    private final WireFormat format;
    private final ZMQ.Socket shell;

    public Client(KernelConnectionProperties properties) throws GeneralSecurityException {
        format = new WireFormat(properties.createHMACGenerator());
        shell = context.createSocket(SocketType.DEALER);
        shell.setLinger(0);
        shell.connect(Connection.address(properties, properties.getShellPort()));
        ZMQ.Socket iopub = context.createSocket(SocketType.SUB);
        iopub.subscribe("");
        iopub.connect(Connection.address(properties, properties.getIopubPort()));
    }

    /**
     * @return the content of the reply
     * @throws EspalierException if there is none within {@code patience}
     */
    public ObjectNode ask(String type, ObjectNode content, Duration patience) {
        Message request = Message.spontaneous(type, content, session);
        List<byte[]> frames = format.encode(request);
        for (int i = 0; i < frames.size(); i++) {
            shell.send(frames.get(i), i < frames.size() - 1 ? ZMQ.SNDMORE : 0);
        }
        shell.setReceiveTimeOut((int) patience.toMillis());
        List<byte[]> reply = new ArrayList<>();
        do {
            byte[] frame = shell.recv();
            if (frame == null) {
                throw new EspalierException(
                        "the kernel did not answer " + type + " within " + patience.toSeconds() + " s");
            }
            reply.add(frame);
        } while (shell.hasReceiveMore());
        try {
            return format.decode(reply).content();
        } catch (WireException e) {
            throw new EspalierException("the kernel answered " + type + " with " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
