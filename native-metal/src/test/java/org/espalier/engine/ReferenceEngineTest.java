package org.espalier.engine;

import org.espalier.engine.reference.ReferenceEngine;

final class ReferenceEngineTest extends EngineSuite {
    @Override
    Engine engine() {
        return new ReferenceEngine();
    }
}
