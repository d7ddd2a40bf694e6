package org.espalier.kernel.dependencies;

import java.nio.file.Path;
import java.util.List;

/**
 * What coordinates came to.
 *
 * @param added artifacts to add to the class path, each asked for directly or by another
 * @param notes sentences about what is different from what was asked
 */
public record Resolution(List<Found> added, List<String> notes) {

    /**
     * An artifact in the local repository.
     *
     * @param name GROUP:ARTIFACT, the extension if it is no jar, and the classifier if it has one
     */
    public record Found(String name, String version, Path file) {}
}
