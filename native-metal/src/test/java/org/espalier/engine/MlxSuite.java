package org.espalier.engine;

import org.espalier.engine.library.MlxProvider;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.opentest4j.TestAbortedException;

/** All suites over MLX on the processor; tests of formats that MLX does not have are skipped, with that reason. */
@ExtendWith(MlxSuite.WhatMlxHasNot.class)
abstract class MlxSuite extends EngineSuite {

    static {
        if (System.getProperty("espalier.mlx") == null) {
            System.setProperty("espalier.mlx", "target/mlx");
        }
    }

    MlxSuite(Precision precision) {
        super(requireMlx(), precision);
    }

    /** The engine, over the MLX of the build. */
    static EngineProvider requireMlx() {
        return EngineUnderTest.requireReady(MlxProvider.mlx());
    }

    static final class WhatMlxHasNot implements TestExecutionExceptionHandler {
        @Override
        public void handleTestExecutionException(ExtensionContext context, Throwable thrown) throws Throwable {
            if (thrown instanceof EngineException && thrown.getMessage().contains("with which MLX does not compute")) {
                throw new TestAbortedException(thrown.getMessage());
            }
            throw thrown;
        }
    }
}
