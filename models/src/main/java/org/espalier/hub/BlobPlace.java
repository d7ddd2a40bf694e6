package org.espalier.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where one file is fetched to.
 *
 * @param blob its name once it is whole
 * @param incomplete its name until then
 * @param lock of whoever writes it
 */
record BlobPlace(Path blob, Path incomplete, Path lock) {

    boolean has(HubFile file) throws IOException {
        return Files.isRegularFile(blob) && Files.size(blob) == file.size();
    }

    /** Bytes that are still to be fetched. */
    long missing(HubFile file) throws IOException {
        if (has(file)) {
            return 0;
        }
        return Math.max(0, file.size() - (Files.exists(incomplete) ? Files.size(incomplete) : 0));
    }
}
