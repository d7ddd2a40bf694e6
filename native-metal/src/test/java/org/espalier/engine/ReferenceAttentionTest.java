package org.espalier.engine;

import org.espalier.engine.reference.ReferenceEngine;

final class ReferenceAttentionTest extends AttentionSuite {
    @Override
    Engine engine() {
        return new ReferenceEngine();
    }
}
