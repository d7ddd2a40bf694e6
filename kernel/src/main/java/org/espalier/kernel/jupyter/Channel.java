package org.espalier.kernel.jupyter;

import java.io.IOException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A socket that gets requests and sends replies. */
final class Channel implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Channel.class);

    private final String name;
    private final WireFormat format;
    private final Receiver receiver;
    private final Router router;

    /**
     * Binds it; nothing is read before {@link #start}.
     *
     * @param messageBytes a larger frame ends its connection, a larger message is dropped
     * @param receiver gets the messages, one of each client at a time
     */
    Channel(String name, String host, int port, long messageBytes, WireFormat format, Receiver receiver)
            throws IOException {
        this.name = name;
        this.format = format;
        this.receiver = receiver;
        router = new Router(name, host, port, messageBytes, this::receive);
    }

    int port() {
        return router.port();
    }

    void start() {
        router.start();
    }

    /** Sends from any thread, in order, without waiting. */
    void send(Message message) {
        router.send(format.encode(message));
    }

    private boolean receive(List<byte[]> frames) {
        try {
            receiver.accept(format.decode(frames));
            return true;
        } catch (WireException e) {
            LOG.warn("refused on {}: {}", name, e.getMessage());
            e.request().ifPresent(request -> receiver.refuse(request, e.getMessage()));
            return e.request().isPresent();
        } catch (RuntimeException | Error e) {
            Failures.log(LOG, "a message could not be handled", e);
            return true;
        }
    }

    /** Sends what is queued and ends. */
    @Override
    public void close() {
        router.close();
    }
}
