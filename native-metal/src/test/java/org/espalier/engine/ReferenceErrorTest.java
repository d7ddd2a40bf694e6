package org.espalier.engine;

import org.espalier.engine.reference.ReferenceEngine;

final class ReferenceErrorTest extends EngineErrorSuite {
    @Override
    Engine engine() {
        return new ReferenceEngine();
    }
}
