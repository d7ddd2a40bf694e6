package org.espalier.node.service;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tells nodes that hang from those that answer or have ended: a server of HTTP/2 sends the first bytes of a connection unasked (RFC 9113
 * section 3.4), and one that ends closes it.
 */
final class HungNodes implements AutoCloseable {

    private static final int CONNECT_MILLIS =
            100; // on loopback, where the system itself accepts for a process that hangs

    private final Map<String, Socket> asked = new LinkedHashMap<>();

    /**
     * Connects to all.
     *
     * @param addresses host:port each
     */
    HungNodes(List<String> addresses) {
        for (String address : addresses) {
            int colon = address.lastIndexOf(':');
            Socket socket = new Socket();
            try {
                socket.connect(
                        new InetSocketAddress(
                                address.substring(0, colon), Integer.parseInt(address.substring(colon + 1))),
                        CONNECT_MILLIS);
                asked.put(address, socket);
            } catch (IOException e) {
                close(socket); // it has ended
            }
        }
    }

    /** Those that have neither said anything nor closed the connection after {@code limit}. */
    Set<String> after(Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        Set<String> hung = new HashSet<>();
        asked.forEach((address, socket) -> {
            try {
                socket.setSoTimeout((int) Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
                socket.getInputStream().read();
            } catch (SocketTimeoutException e) {
                hung.add(address);
            } catch (IOException e) {
                // closed: it ends
            }
        });
        return hung;
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // nothing was sent on it
        }
    }

    @Override
    public void close() {
        asked.values().forEach(HungNodes::close);
    }
}
