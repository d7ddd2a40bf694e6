package org.espalier.kernel.jupyter;

import org.slf4j.Logger;

/** Logs what a thread has to survive: where a notebook has taken all memory, even the log fails, and the thread goes on all the same. */
public final class Failures {

    private Failures() {}

    public static void log(Logger log, String what, Throwable failure) {
        try {
            log.error(what, failure);
        } catch (RuntimeException | Error e) {
            // the next failure may find memory to be told with
        }
    }
}
