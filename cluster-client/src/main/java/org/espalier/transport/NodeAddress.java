package org.espalier.transport;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.EspalierException;

/**
 * Where a node listens, and how it is spoken to there: {@code plain://HOST:PORT} on loopback, {@code tls://HOST:PORT} everywhere. Without a
 * scheme loopback means plain, all else TLS. Nothing else is an address, whoever names it: a node dials what its clients tell it.
 *
 * @param host a name, an IPv4 address, or an IPv6 address without its brackets
 * @param port 1 to 65535
 */
public record NodeAddress(Mode mode, String host, int port) {

    /** How a listener speaks to every caller. */
    public enum Mode {
        PLAIN,
        TLS
    }

    /** The scheme may not be {@code unix:} or {@code dns:}, which gRPC would understand: only two words come before {@code ://}. */
    private static final Pattern ADDRESS =
            Pattern.compile("(?:([a-z]+)://)?(\\[([0-9A-Fa-f:.]+(?:%[0-9A-Za-z]+)?)]|([0-9A-Za-z._-]+)):([0-9]{1,5})");

    /**
     * Reads an address; a name without {@code tls://} is resolved, which may take the time of a name server.
     *
     * @throws EspalierException if it is none, or plain text is asked for off loopback
     */
    public static NodeAddress parse(String text) {
        Matcher parts = ADDRESS.matcher(text);
        if (!parts.matches()) {
            throw new EspalierException("'" + text
                    + "' is not an address: write HOST:PORT, for instance 127.0.0.1:41234, or tls://HOST:PORT");
        }
        String scheme = parts.group(1);
        String host = host(parts);
        int port = Integer.parseInt(parts.group(5));
        if (port < 1 || port > 65535) {
            throw new EspalierException("port " + port + " in " + text + " is not one: write 1 to 65535");
        }
        if ("tls".equals(scheme)) {
            return new NodeAddress(Mode.TLS, host, port);
        }
        if (scheme != null && !scheme.equals("plain")) {
            throw new EspalierException(
                    "'" + text + "' has the unknown scheme " + scheme + ": write plain:// or tls://");
        }
        boolean loopback = resolve(host, text).isLoopbackAddress();
        if (scheme != null && !loopback) {
            throw new EspalierException("plain text is for loopback only, and " + host
                    + " is another machine's address: write tls://" + text.substring("plain://".length()));
        }
        return new NodeAddress(loopback ? Mode.PLAIN : Mode.TLS, host, port);
    }

    /**
     * An address over TLS, with or without its scheme.
     *
     * @throws EspalierException if it is none, or names another scheme
     */
    public static NodeAddress tls(String text) {
        return parse(text.contains("://") ? text : "tls://" + text).requireTls();
    }

    private NodeAddress requireTls() {
        if (mode != Mode.TLS) {
            throw new EspalierException("'" + this + "' is in plain text: write tls://HOST:PORT");
        }
        return this;
    }

    /** What is bound, which may be port 0 for any free one; empty if it is none, or in plain text. */
    static Optional<NodeAddress> bound(String text) {
        Matcher parts = ADDRESS.matcher(text);
        return parts.matches() && (parts.group(1) == null || parts.group(1).equals("tls"))
                ? Optional.of(new NodeAddress(Mode.TLS, host(parts), Integer.parseInt(parts.group(5))))
                : Optional.empty();
    }

    private static String host(Matcher parts) {
        return parts.group(3) == null ? parts.group(4) : parts.group(3);
    }

    private static InetAddress resolve(String host, String text) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new EspalierException("unknown host " + host + ": check the name in " + text, e);
        }
    }

    /** Whether the system resolves the host to this machine itself, as it does any address (0.0.0.0); false where it does not know it. */
    public boolean isLoopback() {
        try {
            InetAddress address = InetAddress.getByName(host);
            return address.isLoopbackAddress() || address.isAnyLocalAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /**
     * What is dialled in plain text: looked up and checked in one go, so that no other answer of a name server can come between.
     *
     * @throws EspalierException if it is not loopback
     */
    InetSocketAddress loopback() {
        InetAddress resolved = resolve(host, toString());
        if (!resolved.isLoopbackAddress()) {
            throw new EspalierException(
                    "plain text is for loopback only, and " + host + " is another machine's address");
        }
        return new InetSocketAddress(resolved, port);
    }

    /** HOST:PORT where plain text is spoken, {@code tls://HOST:PORT} otherwise; {@link #parse} reads both. */
    @Override
    public String toString() {
        String authority = (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
        return mode == Mode.TLS ? "tls://" + authority : authority;
    }
}
