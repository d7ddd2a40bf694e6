package org.espalier.kernel.jshell;

/** The threads of a cell. An exception that nobody catches is printed where the cell's output goes, as the JVM prints it. */
final class CellThreads extends ThreadGroup {

    CellThreads() {
        super("cell");
    }

    /** A thread's own handler comes before this, as the JVM has it; a default handler that the user set is asked here. */
    @Override
    public void uncaughtException(Thread thread, Throwable error) {
        Thread.UncaughtExceptionHandler chosen = Thread.getDefaultUncaughtExceptionHandler();
        if (error instanceof CellStopped) {
            return;
        }
        if (chosen != null) {
            chosen.uncaughtException(thread, error);
        } else {
            StandardStreams.err().print("Exception in thread \"" + thread.getName() + "\" ");
            error.printStackTrace(StandardStreams.err());
        }
    }
}
