package org.espalier.kernel.jupyter;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.espalier.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A port that clients connect to, and the threads of their connections. */
final class Port implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Port.class);

    private static final int ACCEPT_AGAIN_MILLIS = 100;

    private final String name;
    private final ServerSocket server = new ServerSocket();
    private volatile boolean closing;

    /**
     * Binds it; clients are served from {@link #start} on.
     *
     * @param name of the socket, for threads and the log
     * @param host {@code *} for all interfaces
     * @param port 0 for any that is free
     */
    Port(String name, String host, int port) throws IOException {
        this.name = name;
        server.setReuseAddress(true);
        server.bind(
                host.equals("*")
                        ? new InetSocketAddress(port)
                        : new InetSocketAddress(InetAddress.getByName(host), port));
    }

    int number() {
        return server.getLocalPort();
    }

    /** Takes a connection; must not wait. */
    interface Taker {
        void take(Socket connection) throws IOException;
    }

    void start(Taker taker) {
        startThread(() -> accept(taker), "accept");
    }

    private void accept(Taker taker) {
        while (!closing) {
            try {
                Socket connection = server.accept();
                connection.setKeepAlive(true); // or one whose computer is gone would never end
                taker.take(connection);
            } catch (IOException | RuntimeException | Error e) {
                if (!closing) {
                    Failures.log(LOG, "a client could not be accepted", e);
                    pause(); // for instance until there are file descriptors again
                }
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(ACCEPT_AGAIN_MILLIS);
        } catch (InterruptedException e) {
            // by code that interrupts every thread it finds: this one is still needed
        }
    }

    /** What a thread of this socket does; its failures are logged. */
    interface Work {
        void run() throws IOException;
    }

    void startThread(Work work, String what) {
        Runnable logged = () -> {
            try {
                work.run();
            } catch (IOException e) {
                LOG.debug("a connection ended", e);
            } catch (RuntimeException | Error e) {
                Failures.log(LOG, "a connection ended", e);
            }
        };
        new DaemonThreads("espalier-" + name + "-" + what).newThread(logged).start();
    }

    @Override
    public void close() {
        closing = true;
        try {
            server.close();
        } catch (IOException e) {
            LOG.debug("{} did not close", name, e);
        }
    }
}
