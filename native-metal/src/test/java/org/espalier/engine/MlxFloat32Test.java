package org.espalier.engine;

final class MlxFloat32Test extends MlxSuite {
    MlxFloat32Test() {
        super(Precision.FLOAT32);
    }
}
