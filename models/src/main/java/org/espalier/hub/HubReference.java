package org.espalier.hub;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What to fetch: {@code org/name}, {@code org/name@revision}, {@code org/name:Q4_K_M} or {@code org/name:file.gguf}.
 *
 * @param repository {@code org/name}
 * @param revision branch, tag or commit
 * @param file a GGUF file's name, or the part of it that names a quantization
 */
public record HubReference(String repository, String revision, Optional<String> file) {

    private static final String NAME = "[A-Za-z0-9_][A-Za-z0-9._-]{0,95}";
    private static final Pattern PATTERN = Pattern.compile(
            "(" + NAME + "/" + NAME + ")(?:@([A-Za-z0-9_][A-Za-z0-9._/-]{0,199}))?(?::([^\\s:@]{1,200}))?");

    /** Whether a text can be a reference; a path that exists goes before it. */
    public static boolean looksLikeOne(String text) {
        Matcher matcher = matcher(text);
        return matcher.matches() && !matcher.group(1).endsWith(".gguf");
    }

    /** @throws HubException if it is not one */
    public static HubReference parse(String text) {
        Matcher matcher = matcher(text);
        boolean climbs = text.contains("..") || text.contains("--");
        if (!matcher.matches() || climbs) {
            throw new HubException(
                    text + " is not the name of a model on the hub, expected ORG/NAME, ORG/NAME@REVISION or"
                            + " ORG/NAME:QUANTIZATION");
        }
        String revision = matcher.group(2) == null ? "main" : matcher.group(2);
        return new HubReference(matcher.group(1), revision, Optional.ofNullable(matcher.group(3)));
    }

    private static Matcher matcher(String text) {
        return PATTERN.matcher(text);
    }

    @Override
    public String toString() {
        return repository
                + (revision.equals("main") ? "" : "@" + revision)
                + file.map(name -> ":" + name).orElse("");
    }
}
