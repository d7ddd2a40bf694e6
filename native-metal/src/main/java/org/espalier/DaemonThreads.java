package org.espalier;

import java.lang.System.Logger.Level;
import java.util.concurrent.ThreadFactory;

/**
 * Makes the threads of Espalier itself: daemons that belong to no cell or caller, whoever happens to need them first, and whose uncaught
 * exceptions are logged and said on standard error.
 *
 * @param name of each thread
 */
public record DaemonThreads(String name) implements ThreadFactory {

    @Override
    public Thread newThread(Runnable work) {
        Thread thread = new Thread(topmostGroup(), work, name);
        thread.setDaemon(true);
        thread.setContextClassLoader(DaemonThreads.class.getClassLoader());
        thread.setUncaughtExceptionHandler(DaemonThreads::report);
        return thread;
    }

    /** A thread group that is interrupted or stopped takes its threads with it. */
    private static ThreadGroup topmostGroup() {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        while (group.getParent() != null) {
            group = group.getParent();
        }
        return group;
    }

    /** The handler of these threads, for one that has to be made in another way. */
    public static void report(Thread thread, Throwable error) {
        System.err.println("The thread " + thread.getName() + " of Espalier ended with " + error
                + ". This is a defect of Espalier; its log has more.");
        System.getLogger(DaemonThreads.class.getName())
                .log(Level.ERROR, "uncaught in the thread " + thread.getName(), error);
    }
}
