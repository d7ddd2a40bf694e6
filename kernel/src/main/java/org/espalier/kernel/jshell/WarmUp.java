package org.espalier.kernel.jshell;

import java.time.Duration;
import org.espalier.DaemonThreads;

/**
 * Completes something that nobody asked for as soon as the session is quiet, since the first completion takes several times as long as the
 * next. A notebook that runs from top to bottom is never quiet, and one whose user reads the first cell is.
 */
public final class WarmUp {

    private static final Duration QUIET = Duration.ofMillis(400);
    private static final String CODE = "String.valueOf(";

    private WarmUp() {}

    /** Starts to wait for a quiet moment. */
    public static JavaSession start(JavaSession session) {
        Thread thread = new DaemonThreads("espalier-warm-up").newThread(() -> complete(session));
        thread.setPriority(Thread.MIN_PRIORITY);
        thread.start();
        return session;
    }

    private static void complete(JavaSession session) {
        try {
            while (!session.isQuiet(QUIET)) {
                Thread.sleep(QUIET.toMillis() / 4);
            }
            new CodeAssist(session).complete(CODE, CODE.length());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
