package org.espalier.engine;

import org.espalier.engine.library.LibraryProvider;

final class CpuFastTest extends EngineSuite {
    CpuFastTest() {
        super(EngineUnderTest.requireReady(LibraryProvider.cpu()), Precision.FAST);
    }
}
