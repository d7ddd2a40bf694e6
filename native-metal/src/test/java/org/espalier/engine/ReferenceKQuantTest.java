package org.espalier.engine;

import org.espalier.engine.reference.ReferenceEngine;

class ReferenceKQuantTest extends KQuantSuite {

    @Override
    Engine engine() {
        return new ReferenceEngine();
    }
}
