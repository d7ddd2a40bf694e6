package org.espalier.checkpoint;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where test models lie; what is not in the clone is skipped with its reason. */
public final class Golden {
    private static final Path SHARED = Path.of("..", "..", "shared", "golden", "models");
    private static final Path TINY = Path.of("src", "test", "resources", "models");

    private Golden() {}

    /** A model of the reference data beside the clone. */
    public static Path shared(String name) {
        Path path = SHARED.resolve(name);
        assumeTrue(Files.exists(path), "../shared/golden is not beside the repository, or not whole");
        return path;
    }

    /** A tiny model of the repository. */
    public static Path tiny(String name) {
        return TINY.resolve(name);
    }
}
