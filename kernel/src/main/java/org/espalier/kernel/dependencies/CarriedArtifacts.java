package org.espalier.kernel.dependencies;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.eclipse.aether.artifact.Artifact;

/**
 * The libraries inside the kernel's own jar. Their classes always come from there, so nothing of them is added to a notebook a second time.
 * The build writes the list.
 */
final class CarriedArtifacts {

    private static final String LIST = "carried-artifacts.txt";

    /** Version by GROUP:ARTIFACT:EXTENSION:CLASSIFIER. */
    private final Map<String, String> versions;

    CarriedArtifacts() {
        try (InputStream list = CarriedArtifacts.class.getResourceAsStream(LIST)) {
            if (list == null) {
                throw new IllegalStateException("the kernel's jar has no " + LIST);
            }
            // lines of maven-dependency-plugin: "   GROUP:ARTIFACT:EXTENSION:VERSION:SCOPE -- module NAME", with a
            // classifier
            // before the version if there is one
            versions = new BufferedReader(new InputStreamReader(list, StandardCharsets.UTF_8))
                    .lines()
                    .map(line -> line.strip().split(" ")[0].split(":"))
                    .filter(parts -> parts.length >= 5)
                    .collect(Collectors.toMap(
                            parts -> key(parts[0], parts[1], parts[2], parts.length > 5 ? parts[3] : ""),
                            parts -> parts[parts.length - 2],
                            (one, other) -> one));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String key(String group, String artifact, String extension, String classifier) {
        return String.join(":", group, artifact, extension, classifier);
    }

    /** The version that the kernel carries; empty if it does not. An artifact with another classifier is another. */
    Optional<String> version(Artifact artifact) {
        return Optional.ofNullable(versions.get(key(
                artifact.getGroupId(), artifact.getArtifactId(), artifact.getExtension(), artifact.getClassifier())));
    }
}
