package org.espalier.kernel.jshell;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.MutableCallSite;
import java.util.concurrent.ForkJoinWorkerThread;

/**
 * What {@link GuardedClass} has each loop and each method of a cell ask: whether to stop. While nothing is stopped the question is a call site
 * with an empty target, which compiled code does not contain at all; a volatile field read in each turn would cost numeric loops their vector
 * instructions.
 */
public final class StopCheck {

    private static final MethodHandle NOTHING = MethodHandles.empty(MethodType.methodType(void.class));
    private static final MutableCallSite SITE = new MutableCallSite(NOTHING);
    private static final MethodHandle QUESTION = SITE.dynamicInvoker();
    private static final MethodHandle ANSWER;

    static {
        try {
            ANSWER = MethodHandles.lookup()
                    .findStatic(StopCheck.class, "endIfStopped", MethodType.methodType(void.class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The cell that is being stopped; null for none. */
    private static volatile ThreadGroup stopped;

    private StopCheck() {}

    /** Called by rewritten code. */
    public static void ask() throws Throwable {
        QUESTION.invokeExact();
    }

    /** From now on, code in this group's threads ends wherever it asks, until another cell begins. */
    static synchronized void stop(ThreadGroup cell) {
        stopped = cell;
        target(ANSWER);
    }

    static synchronized void begin() {
        if (stopped != null) {
            stopped = null;
            target(NOTHING);
        }
    }

    private static void target(MethodHandle handle) {
        SITE.setTarget(handle);
        MutableCallSite.syncAll(new MutableCallSite[] {SITE});
    }

    private static void endIfStopped() {
        ThreadGroup cell = stopped;
        if (cell != null && !isOfAnotherCell(Thread.currentThread(), cell)) {
            throw new CellStopped();
        }
    }

    /** Workers of a fork-join pool, virtual threads and threads of Espalier itself work for whichever cell runs. */
    private static boolean isOfAnotherCell(Thread thread, ThreadGroup cell) {
        ThreadGroup group = thread instanceof ForkJoinWorkerThread ? null : thread.getThreadGroup();
        while (group != null && !(group instanceof CellThreads)) {
            group = group.getParent();
        }
        return group != null && group != cell;
    }
}
