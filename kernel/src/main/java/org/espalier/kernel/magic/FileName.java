package org.espalier.kernel.magic;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.espalier.EspalierException;

/** Files as users write them. */
final class FileName {

    private FileName() {}

    /** {@code ~} is the user's home, everything else starts in the notebook's folder. */
    static Path path(String name) {
        try {
            return name.equals("~") || name.startsWith("~/")
                    ? Path.of(System.getProperty("user.home"), name.substring(1))
                    : Path.of(name);
        } catch (InvalidPathException e) {
            throw new EspalierException("'" + name + "' is no name of a file: " + e.getReason(), e);
        }
    }
}
