package org.espalier.engine;

final class MlxFastTest extends MlxSuite {
    MlxFastTest() {
        super(Precision.FAST);
    }
}
