package org.espalier.kernel.jshell;

/** Waits, in a thread group of its own, for the one piece of code that it is to run. */
final class CellThread {

    private final ThreadGroup group = new CellThreads();
    private final Thread thread;
    private Runnable code;

    CellThread(ClassLoader classes) {
        thread = new Thread(group, this::run, "cell");
        thread.setDaemon(true); // it may never be needed
        thread.setContextClassLoader(classes);
        thread.start();
    }

    private void run() {
        await().run();
    }

    private synchronized Runnable await() {
        while (code == null) {
            try {
                wait();
            } catch (InterruptedException e) {
                // by code that looks for threads; it has nothing to end here
            }
        }
        return code;
    }

    /** To be called once. */
    synchronized void run(Runnable next) {
        code = next;
        notifyAll();
    }

    /** All threads that the code starts belong to it. */
    ThreadGroup group() {
        return group;
    }

    String name() {
        return thread.getName();
    }

    @SuppressWarnings({"deprecation", "removal"})
    void stop() {
        thread.stop();
    }
}
