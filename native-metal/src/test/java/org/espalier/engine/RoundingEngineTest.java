package org.espalier.engine;

import org.espalier.engine.reference.RoundingProvider;

/** Holds the suites themselves to what {@code fast} is, until real engines have it. */
final class RoundingEngineTest extends EngineSuite {
    RoundingEngineTest() {
        super(new RoundingProvider(), Precision.FAST);
    }
}
