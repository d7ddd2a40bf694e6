package org.espalier.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.util.function.LongConsumer;

/** Fetches one file into the cache: resumes where an earlier try ended, checks size and hash, and only then gives the blob its name. */
final class BlobDownload {

    private static final int BUFFER = 1 << 16;

    private final FileOrigin origin;
    private final LongConsumer fetched;

    /** @param fetched told the bytes that came, and negative numbers for bytes that are thrown away again */
    BlobDownload(FileOrigin origin, LongConsumer fetched) {
        this.origin = origin;
        this.fetched = fetched;
    }

    /**
     * Returns when the file is there; the thread's interrupt ends it.
     *
     * @throws IOException if it cannot be written
     */
    void fetch(HubFile file, BlobPlace place) throws IOException, InterruptedException {
        if (place.has(file)) {
            return;
        }
        try (DownloadLock lock = DownloadLock.of(place.lock()).orElseThrow(this::busy)) {
            if (!place.has(file)) { // another process may have been faster
                try (BlobFile blob = new BlobFile(file, place)) {
                    fill(file, blob);
                    finish(file, blob);
                }
            }
        }
    }

    private HubException busy() {
        return new HubException(origin.what() + " is being fetched already: wait until that is done");
    }

    private void fill(HubFile file, BlobFile blob) throws IOException, InterruptedException {
        for (int attempt = 1; !blob.isWhole(); attempt++) {
            long before = blob.length();
            try {
                receive(file, blob);
                if (!blob.isWhole()) {
                    throw new IOException(
                            "the connection ended after " + blob.length() + " of " + file.size() + " bytes");
                }
            } catch (UnwritableException e) {
                throw e;
            } catch (IOException e) {
                attempt = blob.length() > before ? 1 : attempt;
                origin.again(attempt, e);
            }
        }
    }

    private void finish(HubFile file, BlobFile blob) throws IOException {
        if (!blob.isUntouched()) {
            throw refused(blob, "was written by another program at the same time: it was deleted, run it again");
        }
        if (!blob.hasHash()) {
            throw refused(
                    blob,
                    "arrived with another hash than the " + file.hash()
                            + " that is expected: it is damaged and was deleted, run it again");
        }
        blob.finish();
    }

    private HubException refused(BlobFile blob, String why) throws IOException {
        blob.delete();
        fetched.accept(-blob.length());
        return new HubException(origin.what() + " " + why);
    }

    /** Appends what one answer brings. */
    private void receive(HubFile file, BlobFile blob) throws IOException, InterruptedException {
        HttpResponse<HubBody> response = origin.open(blob.length());
        try (InputStream body = response.body()) {
            if (blob.length() > 0 && !goesOn(response, blob.length())) {
                fetched.accept(-blob.length()); // the server starts over
                blob.restart();
            }
            byte[] buffer = new byte[BUFFER];
            for (int count; (count = body.read(buffer)) >= 0; ) {
                if (blob.exceeds(count)) {
                    blob.delete();
                    throw new HubException(origin.what() + " is longer than the " + file.size()
                            + " bytes that are expected: it was deleted, run it again");
                }
                blob.append(buffer, count);
                fetched.accept(count);
            }
        }
    }

    private static boolean goesOn(HttpResponse<?> response, long from) {
        return response.statusCode() == 206
                && response.headers()
                        .firstValue("Content-Range")
                        .map(range -> range.startsWith("bytes " + from + "-"))
                        .orElse(false);
    }
}
