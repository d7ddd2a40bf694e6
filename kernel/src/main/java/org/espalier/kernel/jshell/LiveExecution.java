package org.espalier.kernel.jshell;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.ReentrantLock;
import jdk.jshell.execution.DirectExecutionControl;
import jdk.jshell.spi.ExecutionControl;
import jdk.jshell.spi.ExecutionControlProvider;
import jdk.jshell.spi.ExecutionEnv;
import jdk.jshell.spi.SPIResolutionException;

/**
 * Runs cells in this process, so that they can be stopped for good, and hands out the live values: JShell itself hands results over as text. A
 * snippet's class has a public static field for its variable; the class is seen when the snippet is invoked.
 *
 * <p>The JDK's own local execution would make the process forget uncaught exceptions: on Java 17 it replaces the default handler at every cell.
 */
final class LiveExecution extends DirectExecutionControl {

    private final Variables variables = new Variables();
    private final List<Variables.Lost> lost = new ArrayList<>();
    private final ReentrantLock lock;
    private final CellThreadSupply threads;
    private final CellClassLoader loader;
    private volatile CellRun running;
    private final Runnable beforeRun;
    private boolean onlyDeclare;
    private Throwable thrown;
    private Object returned;
    private volatile boolean stopped;
    private volatile long ranNanos;

    /**
     * @param lock held by the thread that evaluates; given back while the evaluated code runs
     * @param beforeRun called when a snippet is compiled, before its code runs
     */
    LiveExecution(ReentrantLock lock, Runnable beforeRun) {
        this(lock, beforeRun, new CellClassLoader());
    }

    private LiveExecution(ReentrantLock lock, Runnable beforeRun, CellClassLoader loader) {
        super(loader);
        this.lock = lock;
        this.beforeRun = beforeRun;
        this.loader = loader;
        threads = new CellThreadSupply(loader);
    }

    private CellRun start(Callable<?> code) {
        running = new CellRun(code, threads.next());
        return running;
    }

    @Override
    public void load(ClassBytecodes[] classes)
            throws ClassInstallException, NotImplementedException, EngineTerminationException {
        super.load(classes);
        for (ClassBytecodes loaded : classes) {
            try {
                variables.loaded(findClass(loaded.name()));
            } catch (ClassNotFoundException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Override
    protected String invoke(Method method) throws Exception {
        if (onlyDeclare) {
            restoreVariables();
            return "";
        }
        variables.declaredAnew(method.getDeclaringClass());
        restoreVariables();
        beforeRun.run();
        CellRun run = start(() -> method.invoke(null));
        lock.unlock();
        long start = System.nanoTime();
        try {
            run.toEnd();
            returned = run.returned();
            return ""; // JShell's text of the value, which nobody asks for and which would cost a toString()
        } catch (InvocationTargetException e) {
            thrown = e.getCause();
            if (thrown instanceof SPIResolutionException) {
                throw e;
            }
            // JShell only needs to know that: the exception itself has more than what it makes of it.
            throw new UserException("", thrown.getClass().getName(), new StackTraceElement[0]);
        } catch (InterruptedException e) {
            stopped = true;
            throw new StoppedException();
        } finally {
            running = null;
            StandardStreams.restore();
            ranNanos += System.nanoTime() - start;
            lock.lock();
        }
    }

    /**
     * Runs work that is no snippet as a cell's code is run; where a cell runs, on the calling thread, which is the cell's.
     *
     * @throws InvocationTargetException with what it throws
     * @throws InterruptedException if it was stopped
     */
    Object run(Callable<?> work) throws Exception {
        if (isRunning()) {
            return work.call();
        }
        CellRun run = start(work);
        try {
            run.toEnd();
            return run.returned();
        } finally {
            running = null;
            StandardStreams.restore();
        }
    }

    @Override
    public void stop() {
        CellRun run = running;
        if (run != null) {
            run.stop();
        }
    }

    /** The value of the last expression that is no variable's, such as a constant of a static import; forgotten with this call. */
    Optional<Object> takeReturned() {
        Object value = returned;
        returned = null;
        return Optional.ofNullable(value);
    }

    /** Whether code runs now, started by JShell. */
    boolean isRunning() {
        return running != null;
    }

    /** How long code ran so far, without what compiling it took. */
    long ranNanos() {
        return ranNanos;
    }

    /** Whether code was stopped since this was asked last; JShell does not tell. */
    boolean wasStopped() {
        boolean was = stopped;
        stopped = false;
        return was;
    }

    /** What the last code threw that failed; forgotten with this call. */
    Throwable takeThrown() {
        Throwable last = thrown;
        thrown = null;
        return last;
    }

    /** Evaluates declarations whose initial values are not computed again. */
    void withoutRunning(Runnable evaluation) {
        onlyDeclare = true;
        try {
            evaluation.run();
        } finally {
            onlyDeclare = false;
            restoreVariables();
        }
    }

    /** Gives variables that were compiled again their values back. */
    void restoreVariables() {
        lost.addAll(variables.restore());
    }

    /** Values that could not be given back, since this was asked last. */
    List<Variables.Lost> takeLost() {
        List<Variables.Lost> all = List.copyOf(lost);
        lost.clear();
        variables.settled();
        return all;
    }

    /** The value of a variable; empty if there is none of that name, or it is null. */
    Optional<Object> value(String variable) {
        return variables.value(variable);
    }

    /** The same of a variable that is about to be dropped, and keeps it no longer. */
    Optional<Object> takeValue(String variable) {
        return variables.take(variable);
    }

    /** Gives exactly this execution to a JShell. */
    ExecutionControlProvider provider() {
        return new ExecutionControlProvider() {
            @Override
            public String name() {
                return "espalier-live";
            }

            @Override
            public ExecutionControl generate(ExecutionEnv env, Map<String, String> parameters) {
                return LiveExecution.this;
            }
        };
    }
}
