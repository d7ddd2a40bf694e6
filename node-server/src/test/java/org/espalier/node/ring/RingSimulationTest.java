package org.espalier.node.ring;

import org.espalier.node.service.FakeEngine;
import org.junit.jupiter.api.Test;

/**
 * Rings in simulated time, with faults of every kind. {@code -Dsimulation.seeds=200000} plays more of them, from {@code -Dsimulation.first=1}
 * on; {@code -Dsimulation.seed=N} repeats one exactly.
 */
class RingSimulationTest {

    private static final int SEEDS = 2_000;

    @Test
    void everyGenerationEndsWithTheRightTokensOrTheRightNode() {
        Long one = Long.getLong("simulation.seed");
        long first = one == null ? Long.getLong("simulation.first", 1) : one;
        long last = one == null ? first + Integer.getInteger("simulation.seeds", SEEDS) - 1 : one;
        try (FakeEngine engine = new FakeEngine()) {
            // On the engine's own thread, so that a call of the engine changes no thread.
            engine.thread().call(() -> {
                SimulatedRing.Expected expected = new SimulatedRing.Expected(engine);
                for (long seed = first; seed <= last; seed++) {
                    RingPlay.play(seed, engine, expected);
                }
                return null;
            });
        }
    }
}
