package org.espalier.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.espalier.EspalierException;

/**
 * Whether what is still to be fetched fits on the disk.
 *
 * @param what for messages
 * @param missing bytes that are still to be fetched
 * @param folder where they are written
 */
record DiskRoom(String what, long missing, Path folder) {

    /** @param otherwise what else could be done */
    void require(String otherwise) throws IOException {
        if (missing > free()) {
            throw new HubException(what + " needs " + bytes(missing) + " more, " + folder + " has " + bytes(free())
                    + " free: make room, or " + otherwise);
        }
    }

    /** Why fetching had to stop. */
    HubException unwritable(IOException why) throws IOException {
        return new HubException(
                "cannot write " + what + " into " + folder + ": " + EspalierException.reason(why, folder) + "; "
                        + bytes(missing) + " are still to come, " + bytes(free())
                        + " are free; what was fetched is kept: make room and run it again to resume",
                why);
    }

    private long free() throws IOException {
        return Files.getFileStore(folder).getUsableSpace();
    }

    private static String bytes(long count) {
        return count < 1_000_000_000
                ? String.format(Locale.ROOT, "%.1f MB", count / 1e6)
                : String.format(Locale.ROOT, "%.1f GB", count / 1e9);
    }
}
