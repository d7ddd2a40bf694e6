package org.espalier.kernel.jshell;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import org.espalier.DaemonThreads;

/** Does beforehand what takes several times as long at the first time as at the next. */
final class WarmUp {

    private static final Duration QUIET = Duration.ofMillis(400);
    private static final String CODE = "String.valueOf(";

    private WarmUp() {}

    /** Rewrites a class, since the first cell waits for nothing else that JShell has not loaded while it came up. */
    static void classes() {
        start("espalier-warm-up-classes", () -> {
            try (InputStream some = WarmUp.class.getResourceAsStream("WarmUp.class")) {
                GuardedClass.of(some.readAllBytes());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /**
     * Completes something that nobody asked for as soon as the session is quiet. A notebook that runs from top to bottom is never quiet, and one
     * whose user reads the first cell is.
     */
    static JavaSession completion(JavaSession session) {
        start("espalier-warm-up", () -> complete(session));
        return session;
    }

    private static void start(String name, Runnable work) {
        Thread thread = new DaemonThreads(name).newThread(work);
        thread.setPriority(Thread.MIN_PRIORITY);
        thread.start();
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
