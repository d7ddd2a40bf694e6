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

/**
 * The libraries inside the kernel's own jar. Their classes always come from there, so nothing of them is added to a notebook a second time.
 * The build writes the list.
 */
final class CarriedArtifacts {

    private static final String LIST = "carried-artifacts.txt";

    /** Version by GROUP:ARTIFACT. */
    private final Map<String, String> versions;

    CarriedArtifacts() {
        try (InputStream list = CarriedArtifacts.class.getResourceAsStream(LIST)) {
            if (list == null) {
                throw new IllegalStateException("the kernel's jar has no " + LIST);
            }
            // lines of maven-dependency-plugin: "   GROUP:ARTIFACT:jar:VERSION:SCOPE -- module NAME", with a classifier
            // before the version if there is one
            versions = new BufferedReader(new InputStreamReader(list, StandardCharsets.UTF_8))
                    .lines()
                    .map(line -> line.strip().split(" ")[0].split(":"))
                    .filter(parts -> parts.length >= 5)
                    .collect(Collectors.toMap(
                            parts -> parts[0] + ":" + parts[1], parts -> parts[parts.length - 2], (one, other) -> one));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The version that the kernel carries; empty if it does not. */
    Optional<String> version(String group, String artifact) {
        return Optional.ofNullable(versions.get(group + ":" + artifact));
    }
}
