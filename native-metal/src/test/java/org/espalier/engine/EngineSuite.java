package org.espalier.engine;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestInstance;

/**
 * All that an engine has to do, in one precision. An engine's test is one class that extends this and names provider and precision; one
 * engine serves all of its tests, as it serves a node. At the end it prints a line an op: the worst difference from arithmetic in double.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class EngineSuite {

    private final EngineUnderTest engine;

    protected EngineSuite(EngineProvider provider, Precision precision) {
        engine = new EngineUnderTest(provider, precision);
    }

    @AfterAll
    void close() {
        System.out.print(engine.differences().report());
        engine.close();
    }

    @Nested
    class Ops extends OpSuite {
        Ops() {
            super(engine);
        }
    }

    @Nested
    class ExpertChoice extends ExpertSuite {
        ExpertChoice() {
            super(engine);
        }
    }

    @Nested
    class Exchanges extends ExchangeSuite {
        Exchanges() {
            super(engine);
        }
    }

    @Nested
    class Greedy extends GreedySuite {
        Greedy() {
            super(engine);
        }
    }

    @Nested
    class Loads extends LoadSuite {
        Loads() {
            super(engine);
        }
    }

    @Nested
    class Attention extends AttentionSuite {
        Attention() {
            super(engine);
        }
    }

    @Nested
    class Selection extends SelectionSuite {
        Selection() {
            super(engine);
        }
    }

    @Nested
    class Formats extends WeightFormatSuite {
        Formats() {
            super(engine);
        }
    }

    @Nested
    class KQuants extends KQuantSuite {
        KQuants() {
            super(engine);
        }
    }

    @Nested
    class Sessions extends SessionSuite {
        Sessions() {
            super(engine, TinyProgram::tokens);
        }
    }

    @Nested
    class SessionsOfChosenRows extends SessionSuite {
        SessionsOfChosenRows() {
            super(engine, TinyProgram::selecting);
        }
    }

    @Nested
    class Windows extends WindowSuite {
        Windows() {
            super(engine);
        }
    }

    @Nested
    class States extends StateSuite {
        States() {
            super(engine);
        }
    }

    @Nested
    class LinearAttention extends LinearAttentionSuite {
        LinearAttention() {
            super(engine);
        }
    }

    @Nested
    class Errors extends ErrorSuite {
        Errors() {
            super(engine);
        }
    }
}
