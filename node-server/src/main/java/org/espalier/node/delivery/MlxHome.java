package org.espalier.node.delivery;

import java.nio.file.Path;

/**
 * A folder with MLX as its wheel lays it out, and the engine's library beside MLX's own.
 *
 * @param folder such as {@code ~/.espalier/mlx/0.32.4-darwin-aarch64-macos15}
 */
public record MlxHome(Path folder) {

    private static final String LIBRARY = "espalier-mlx";

    /** Where libmlx lies. */
    Path libraries() {
        return folder.resolve("mlx").resolve("lib");
    }

    public Path shim() {
        return libraries().resolve(System.mapLibraryName(LIBRARY));
    }

    /** A shim that did not pass yet; it has the place that it will have, since it looks for MLX beside itself. */
    Path candidate() {
        return libraries().resolve(System.mapLibraryName(LIBRARY + "-candidate"));
    }

    /** What passed the self-test here; written last. */
    Path passed() {
        return folder.resolve("self-test");
    }
}
