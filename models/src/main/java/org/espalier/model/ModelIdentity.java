package org.espalier.model;

import java.nio.file.Path;
import java.util.Objects;
import java.util.regex.Pattern;
import org.espalier.EspalierException;
import org.espalier.checkpoint.HeaderHash;

/**
 * Identifies a model on any machine: each resolves it in its own {@link ModelCatalogue}. Two identities are equal if name, revision
 * and hash are; the path does not count.
 *
 * @param name as catalogues list it: {@code ORG/NAME}, a folder's name, a GGUF file's name without its ending
 * @param revision the hub's commit; empty if the files do not say
 * @param hash {@link HeaderHash}: 64 lowercase hexadecimal digits
 * @param path where the files are on the sender's machine, a hint for those that may read whatever their user may; empty if not told
 */
public record ModelIdentity(String name, String revision, String hash, String path) {

    private static final int MAX_NAME = 512;
    private static final int MAX_REVISION = 256;
    private static final int MAX_PATH = 4096;
    private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");
    private static final int SHOWN_DIGITS = 16;

    /** @throws EspalierException if a part is too long, has control characters, or the hash is not one */
    public ModelIdentity {
        require("name", name, MAX_NAME);
        require("revision", revision, MAX_REVISION);
        require("path", path, MAX_PATH);
        if (name.isBlank()) {
            throw new EspalierException("no model is named: give a path or a name");
        }
        if (!HASH.matcher(hash).matches()) {
            throw new EspalierException("the hash of model " + name
                    + " is not 64 lowercase hexadecimal digits: client and node are of different versions");
        }
    }

    private static void require(String what, String text, int most) {
        if (text.length() > most) {
            throw new EspalierException("a model's " + what + " has " + text.length() + " characters, at most " + most
                    + " are allowed: give the model a shorter one");
        }
        if (text.chars().anyMatch(Character::isISOControl)) {
            throw new EspalierException("a model's " + what + " has a control character: give the model another one");
        }
    }

    /**
     * Identifies files on this machine; reads the index or headers and the config, no weights.
     *
     * @throws org.espalier.checkpoint.CheckpointException if there is no checkpoint
     */
    public static ModelIdentity of(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        return new ModelIdentity(
                ModelName.of(absolute), ModelName.revision(absolute), HeaderHash.of(absolute), absolute.toString());
    }

    /** Whether the files are the same by all that both sides know, whatever their names. */
    public boolean hasTheFilesOf(ModelIdentity other) {
        boolean sameRevision = revision.isEmpty() || other.revision.isEmpty() || revision.equals(other.revision);
        return sameRevision && hash.equals(other.hash);
    }

    /** What the hub calls it: {@code ORG/NAME}, with the file's name after a colon where that is one of several GGUF files. */
    String onTheHub() {
        String[] parts = name.split("/", 3);
        return parts.length < 3 ? name + "@" + revision : parts[0] + "/" + parts[1] + "@" + revision + ":" + parts[2];
    }

    /** Hash and revision for people: {@code hash 0123456789abcdef, revision 89abcdef}. */
    String fingerprint() {
        return "hash " + hash.substring(0, SHOWN_DIGITS) + (revision.isEmpty() ? "" : ", revision " + revision);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ModelIdentity that
                && name.equals(that.name)
                && revision.equals(that.revision)
                && hash.equals(that.hash);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, revision, hash);
    }

    @Override
    public String toString() {
        return name + " (" + fingerprint() + ")";
    }
}
