package org.espalier.hub;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A file of a repository.
 *
 * @param name with its folders, as the repository has it
 * @param size in bytes
 * @param hash hexadecimal; names the blob in the cache
 */
record HubFile(String name, long size, String hash) {

    private static final Pattern HASH = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
    private static final int SHA256_DIGITS = 64;

    /** @throws HubException if the name leads out of a folder, or the hash is not one: what a server says is not trusted */
    HubFile {
        boolean fine = !name.isEmpty() && name.length() < 1000;
        for (String part : name.split("/", -1)) {
            fine &= !part.isBlank() && !part.equals(".") && !part.equals("..");
        }
        fine &= name.chars().noneMatch(c -> c == '\\' || c == ':' || c < ' ');
        if (!fine) {
            throw new HubException("the hub lists a file with the name \"" + printable(name)
                    + "\", which leads out of its folder: nothing of this repository is fetched");
        }
        if (!HASH.matcher(hash).matches() || size < 0) {
            throw new HubException("the hub lists " + name + " with " + size + " bytes and the hash \""
                    + printable(hash) + "\", expected a size and a SHA-256 or a git hash");
        }
    }

    private static String printable(String text) {
        String shown = text.replaceAll("[^\\x20-\\x7e]", "?");
        return shown.length() > 100 ? shown.substring(0, 100) + "..." : shown;
    }

    /** Otherwise the hash is git's: SHA-1 of "blob SIZE\0" and the content. */
    boolean isSha256() {
        return hash.length() == SHA256_DIGITS;
    }

    boolean endsWith(String ending) {
        return name.toLowerCase(Locale.ROOT).endsWith(ending);
    }
}
