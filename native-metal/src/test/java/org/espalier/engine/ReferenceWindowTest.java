package org.espalier.engine;

import org.espalier.engine.reference.ReferenceEngine;

final class ReferenceWindowTest extends WindowSuite {
    @Override
    Engine engine() {
        return new ReferenceEngine();
    }
}
