package org.espalier.engine;

import org.espalier.engine.reference.ReferenceEngine;

final class ReferenceSessionTest extends SessionSuite {
    @Override
    Engine engine() {
        return new ReferenceEngine();
    }
}
