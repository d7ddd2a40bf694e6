package org.espalier.transport;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says who was refused and why, a few times in ten seconds at most: whoever knocks at a port decides how often that is. */
final class RefusalLog {

    private static final Logger LOG = LoggerFactory.getLogger(RefusalLog.class);
    private static final int MOST = 10;
    private static final long WINDOW_NANOS = 10_000_000_000L;

    private long begin = System.nanoTime();
    private int said;
    private int unsaid;

    synchronized void say(String what) {
        long now = System.nanoTime();
        if (now - begin > WINDOW_NANOS) {
            if (unsaid > 0) {
                LOG.warn("{} more callers were refused", unsaid);
            }
            begin = now;
            said = 0;
            unsaid = 0;
        }
        if (said < MOST) {
            said++;
            LOG.warn(oneLine(what));
        } else {
            unsaid++;
        }
    }

    /** What a caller wrote goes into a log as one line, and not without end. */
    private static String oneLine(String text) {
        String line = text.replaceAll("\\p{Cntrl}", "?");
        return line.length() > 300 ? line.substring(0, 300) + " ..." : line;
    }
}
