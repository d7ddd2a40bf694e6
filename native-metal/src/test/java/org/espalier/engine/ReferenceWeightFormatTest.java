package org.espalier.engine;

import org.espalier.engine.reference.ReferenceEngine;

final class ReferenceWeightFormatTest extends WeightFormatSuite {
    @Override
    Engine engine() {
        return new ReferenceEngine();
    }
}
