package org.espalier.engine;

import org.espalier.program.Program;

/** An engine whose device is gone when a test says so. */
final class FragileEngine implements ForwardingEngine {

    private final Engine engine;
    private boolean broken;
    private int refusals;
    private int loads;
    private int executorsOpen;

    FragileEngine(Engine engine) {
        this.engine = engine;
    }

    /** The next step finds no device. */
    void breakOnce() {
        broken = true;
    }

    void refuseLoads(int times) {
        refusals = times;
    }

    int loads() {
        return loads;
    }

    int executorsOpen() {
        return executorsOpen;
    }

    @Override
    public Engine engine() {
        return engine;
    }

    @Override
    public Executor load(Program program, EngineOptions options, Loading loading) {
        if (refusals > 0) {
            refusals--;
            throw new EngineException("no device");
        }
        Executor executor = engine.load(program, options, loading);
        loads++;
        executorsOpen++;
        return new FragileExecutor(executor);
    }

    private final class FragileExecutor implements ForwardingExecutor {

        private final Executor executor;

        FragileExecutor(Executor executor) {
            this.executor = executor;
        }

        @Override
        public Executor executor() {
            return executor;
        }

        @Override
        public StepResult run(Step step, Exchange exchange, Cancel cancel) {
            if (broken) {
                broken = false;
                throw new DeviceLostException("it fell off the bus", null);
            }
            return executor.run(step, exchange, cancel);
        }

        @Override
        public void close() {
            executorsOpen--;
            executor.close();
        }
    }
}
