package org.espalier.node.ring;

import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.espalier.Remedy;
import org.espalier.failure.Failure;

/** When the head of a ring that served and broke tries to join it again. */
final class Rejoining {

    private static final long FIRST_PAUSE = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(8);
    private static final long LIMIT = TimeUnit.MINUTES.toNanos(10);

    /** What time does not mend. */
    private static final Set<Failure.Kind> FINAL = EnumSet.of(Failure.Kind.DEPLOYMENT_GONE, Failure.Kind.INVALID);

    /** A ring that breaks sooner has not recovered: pauses go on growing, and so do the 10 minutes. */
    private static final long RECOVERED = TimeUnit.SECONDS.toNanos(30);

    private boolean served;
    private boolean serving;
    private long servesSince;
    private boolean over;
    private boolean left;
    private boolean broken;
    private boolean trying;
    private long since;
    private long next;
    private long pause;

    /** The ring serves. */
    void serves(long now) {
        served = true;
        serving = true;
        servesSince = now;
        trying = false;
    }

    /** The ring broke, or could not be joined again. */
    void broke(Failure why, long now) {
        if (!broken || serving && now - servesSince >= RECOVERED) {
            broken = true;
            over = false;
            since = now;
            pause = FIRST_PAUSE;
        } else {
            pause = Math.min(2 * pause, LONGEST_PAUSE);
        }
        serving = false;
        trying = false;
        over |= FINAL.contains(why.kind());
        next = now + pause;
    }

    /** Whether it is time for an attempt, of which there is one at a time. */
    boolean isDue(long now) {
        return served && broken && !serving && !trying && !over && !left && now - next >= 0;
    }

    /** A failure of the ring with what helps: to wait, where it is tried to join it again. */
    Failure advised(Failure why) {
        boolean general = why.remedy()
                .filter(remedy -> remedy == Remedy.LOAD_AGAIN || remedy == Remedy.AWAIT_REJOIN)
                .isPresent();
        if (!general) {
            return why;
        }
        boolean tried = served && !over && !left && !FINAL.contains(why.kind());
        return why.with(tried ? Remedy.AWAIT_REJOIN : Remedy.LOAD_AGAIN);
    }

    /** An attempt begins, and ends in {@link #serves} or {@link #broke}. */
    void attempt() {
        trying = true;
    }

    /** Whether there will be no attempt any more; true once. */
    boolean givesUp(long now) {
        if (!served || !broken || serving || trying || over || left || now - since < LIMIT) {
            return false;
        }
        over = true;
        return true;
    }

    /** Nothing is tried any more. */
    void end() {
        left = true;
    }
}
