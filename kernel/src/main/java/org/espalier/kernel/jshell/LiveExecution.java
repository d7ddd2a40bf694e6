package org.espalier.kernel.jshell;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import jdk.jshell.execution.DirectExecutionControl;
import jdk.jshell.spi.ExecutionControl;
import jdk.jshell.spi.ExecutionControlProvider;
import jdk.jshell.spi.ExecutionEnv;

/**
 * Runs cells in this process, so that they can be stopped for good, and hands out the live values: JShell itself hands results over as text. A
 * snippet's class has a public static field for its variable; the class is seen when the snippet is invoked.
 *
 * <p>The JDK's own local execution would make the process forget uncaught exceptions: on Java 17 it replaces the default handler at every cell.
 */
final class LiveExecution extends DirectExecutionControl {

    private final Map<String, Class<?>> classes = new ConcurrentHashMap<>();
    private final ReentrantLock lock;
    private final CellClassLoader loader;
    private volatile CellRun running;
    private volatile boolean stopped;
    private Object fetched;

    /** @param lock held by the thread that evaluates; given back while the evaluated code runs */
    LiveExecution(ReentrantLock lock) {
        this(lock, new CellClassLoader());
    }

    private LiveExecution(ReentrantLock lock, CellClassLoader loader) {
        super(loader);
        this.lock = lock;
        this.loader = loader;
    }

    @Override
    protected String invoke(Method method) throws Exception {
        for (Field field : method.getDeclaringClass().getFields()) {
            classes.put(field.getName(), method.getDeclaringClass());
        }
        CellRun run = new CellRun(method, loader);
        running = run;
        lock.unlock();
        try {
            run.toEnd();
            return ""; // JShell's text of the value, which nobody asks for and which would cost a toString()
        } catch (InterruptedException e) {
            stopped = true;
            throw new StoppedException();
        } finally {
            running = null;
            lock.lock();
        }
    }

    @Override
    public void stop() {
        CellRun run = running;
        if (run != null) {
            run.stop();
        }
    }

    /** Whether code was stopped since this was asked last; JShell does not tell. */
    boolean wasStopped() {
        boolean was = stopped;
        stopped = false;
        return was;
    }

    /** The value of a variable; empty if there is none of that name, or it is null. */
    Optional<Object> value(String variable) {
        Class<?> holder = classes.get(variable);
        if (holder == null) {
            return Optional.empty();
        }
        try {
            Field field = holder.getField(variable);
            field.setAccessible(true); // the class itself is not public
            return Optional.ofNullable(field.get(null));
        } catch (ReflectiveOperationException e) {
            return Optional.empty();
        }
    }

    /** JShell asks for a value as text; the object is kept, and no {@code toString()} of it is called. */
    @Override
    public String varValue(String className, String variable) throws EngineTerminationException {
        try {
            Field field = findClass(className).getDeclaredField(variable);
            field.setAccessible(true); // the class itself is not public
            fetched = field.get(null);
        } catch (ReflectiveOperationException e) {
            fetched = null;
        }
        return "";
    }

    /** What {@link #varValue} was asked for last. */
    Object fetched() {
        Object object = fetched;
        fetched = null;
        return object;
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
