package org.espalier.engine;

import org.espalier.engine.reference.ReferenceProvider;

final class ReferenceEngineTest extends EngineSuite {
    ReferenceEngineTest() {
        super(new ReferenceProvider(), Precision.FLOAT32);
    }
}
