package org.espalier.engine;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** Tests that hold for every engine; {@link EngineSuite} has them all. */
abstract class Suite {

    @TempDir
    Path directory;

    final EngineUnderTest tested;

    Suite(EngineUnderTest tested) {
        this.tested = tested;
    }

    @AfterEach
    void listDifferences() {
        tested.differences().require();
    }
}
