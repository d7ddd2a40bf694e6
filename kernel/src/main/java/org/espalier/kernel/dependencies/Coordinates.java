package org.espalier.kernel.dependencies;

import java.util.Arrays;
import java.util.List;
import org.eclipse.aether.artifact.Artifact;
import org.eclipse.aether.artifact.DefaultArtifact;
import org.espalier.EspalierException;

/**
 * What a notebook asks for: {@code GROUP:ARTIFACT:VERSION}, with a classifier {@code GROUP:ARTIFACT:VERSION:CLASSIFIER} as jbang writes it or
 * {@code GROUP:ARTIFACT:EXTENSION:CLASSIFIER:VERSION} as Maven does. The version may be a range of Maven's, {@code [1.0,2.0)}.
 */
public record Coordinates(String group, String artifact, String extension, String classifier, String version) {

    /** @throws EspalierException if it is nothing of that kind */
    public static Coordinates parse(String text) {
        List<String> parts = Arrays.asList(text.split(":", -1));
        boolean plain = parts.stream().allMatch(part -> part.matches("[\\w.+,()\\[\\]-]+"));
        if (plain && parts.size() == 3) {
            return new Coordinates(parts.get(0), parts.get(1), "jar", "", parts.get(2));
        }
        if (plain && parts.size() == 4) {
            return new Coordinates(parts.get(0), parts.get(1), "jar", parts.get(3), parts.get(2));
        }
        if (plain && parts.size() == 5) {
            return new Coordinates(parts.get(0), parts.get(1), parts.get(2), parts.get(3), parts.get(4));
        }
        throw new EspalierException(
                "'" + text + "' is not GROUP:ARTIFACT:VERSION, for instance"
                        + " org.apache.commons:commons-lang3:3.17.0; a classifier goes behind the version, after another colon");
    }

    /** Coordinates that are separated by white space. */
    public static List<Coordinates> parseAll(String line) {
        return Arrays.stream(line.strip().split("\\s+"))
                .filter(word -> !word.isEmpty())
                .map(Coordinates::parse)
                .toList();
    }

    Artifact artifactOfMaven() {
        return new DefaultArtifact(group, artifact, classifier, extension, version);
    }

    @Override
    public String toString() {
        return group + ":" + artifact + ":" + version + (classifier.isEmpty() ? "" : ":" + classifier);
    }
}
