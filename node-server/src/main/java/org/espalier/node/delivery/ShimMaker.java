package org.espalier.node.delivery;

import java.nio.file.Path;
import org.espalier.engine.EngineException;

/** One way to come by the engine's library. */
interface ShimMaker {

    /** For messages: {@code the library of this build}. */
    String what();

    /**
     * Tells one version from another, for whoever has tried it before; empty where there is none.
     */
    String version();

    /**
     * Puts it there.
     *
     * @throws EngineException saying why there is none
     */
    void make(MlxHome home, Path file) throws InterruptedException;
}
