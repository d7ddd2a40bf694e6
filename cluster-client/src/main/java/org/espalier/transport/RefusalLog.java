package org.espalier.transport;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import org.espalier.failure.Printable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says who was refused and why, of each address a few times in ten seconds at most: whoever knocks at a port decides how often that is, but not
 * whether others are heard of.
 */
final class RefusalLog {

    private static final Logger LOG = LoggerFactory.getLogger(RefusalLog.class);
    private static final int MOST = 10;
    private static final long WINDOW_NANOS = 10_000_000_000L;

    /** All addresses beyond are counted as one. */
    static final int MOST_ADDRESSES = 32;

    private static final String OTHERS = "other addresses";

    private static final class Count {
        private int said;
        private int unsaid;
    }

    private final Map<String, Count> counts = new LinkedHashMap<>();
    private long begin = System.nanoTime();

    /** @param from whom it was; null where that is not known */
    synchronized void say(SocketAddress from, String what) {
        long now = System.nanoTime();
        if (now - begin > WINDOW_NANOS) {
            counts.forEach((address, count) -> {
                if (count.unsaid > 0) {
                    LOG.warn("{} more callers from {} were refused", count.unsaid, address);
                }
            });
            counts.clear();
            begin = now;
        }
        String address = address(from);
        Count count = counts.computeIfAbsent(
                counts.containsKey(address) || counts.size() < MOST_ADDRESSES ? address : OTHERS, key -> new Count());
        if (count.said < MOST) {
            count.said++;
            LOG.warn(oneLine(what));
        } else {
            count.unsaid++;
        }
    }

    private static String address(SocketAddress from) {
        InetAddress address = from instanceof InetSocketAddress internet ? internet.getAddress() : null;
        return address == null ? OTHERS : address.getHostAddress();
    }

    /** What a caller wrote goes into a log as one line, and not without end. */
    private static String oneLine(String text) {
        String line = Printable.cell(text);
        return line.length() > 300 ? line.substring(0, 300) + " ..." : line;
    }
}
