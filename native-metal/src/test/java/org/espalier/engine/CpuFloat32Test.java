package org.espalier.engine;

import org.espalier.engine.library.LibraryProvider;

final class CpuFloat32Test extends EngineSuite {
    CpuFloat32Test() {
        super(EngineUnderTest.requireReady(LibraryProvider.cpu()), Precision.FLOAT32);
    }
}
