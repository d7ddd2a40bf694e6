package org.espalier.kernel.jshell;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import jdk.jshell.execution.LocalExecutionControl;
import jdk.jshell.spi.ExecutionControl;
import jdk.jshell.spi.ExecutionControlProvider;
import jdk.jshell.spi.ExecutionEnv;

/**
 * The JDK's local execution, which can stop code for good, and in addition the live values: JShell itself hands results over as text. A
 * snippet's class has a public static field for its variable; the class is seen when the snippet is invoked.
 */
final class LiveExecution extends LocalExecutionControl {

    private final Map<String, Class<?>> classes = new ConcurrentHashMap<>();
    private final ReentrantLock lock;
    private volatile boolean stopped;
    private Object fetched;

    /** @param lock held by the thread that evaluates; given back while the evaluated code runs */
    LiveExecution(ReentrantLock lock) {
        this.lock = lock;
    }

    @Override
    protected String invoke(Method method) throws Exception {
        for (Field field : method.getDeclaringClass().getFields()) {
            classes.put(field.getName(), method.getDeclaringClass());
        }
        lock.unlock();
        try {
            return runUntilStopped(method);
        } catch (StoppedException e) {
            stopped = true;
            throw e;
        } finally {
            lock.lock();
        }
    }

    private String runUntilStopped(Method method) throws Exception {
        if (Thread.interrupted()) {
            throw new StoppedException();
        }
        try {
            return super.invoke(method);
        } catch (InterruptedException e) {
            // A stop that came before the code ran found nothing: the JDK waits for it no longer, but it runs on.
            stop();
            throw new StoppedException();
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
