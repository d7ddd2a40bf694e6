package org.espalier.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.function.LongConsumer;

/** Fetches one file into the cache: resumes where an earlier try ended, checks size and hash, and only then gives the blob its name. */
final class BlobDownload {

    private static final int BUFFER = 1 << 16;

    private final HubConnection connection;
    private final HubReference reference;
    private final HubCache cache;
    private final LongConsumer fetched;

    /** @param fetched told the bytes that came, and negative numbers for bytes that are thrown away again */
    BlobDownload(HubConnection connection, HubReference reference, HubCache cache, LongConsumer fetched) {
        this.connection = connection;
        this.reference = reference;
        this.cache = cache;
        this.fetched = fetched;
    }

    /**
     * Returns when the file is there; the thread's interrupt ends it.
     *
     * @throws IOException if it cannot be written
     */
    void fetch(HubFile file, String commit) throws IOException, InterruptedException {
        if (cache.has(file)) {
            return;
        }
        try (DownloadLock lock = DownloadLock.of(cache.lock(file)).orElseThrow(() -> busy(file))) {
            if (!cache.has(file)) { // another process may have been faster
                try (BlobFile blob = new BlobFile(file, cache)) {
                    fill(file, connection.uri(reference, commit, file), blob);
                    finish(file, blob);
                }
            }
        }
    }

    private HubException busy(HubFile file) {
        return new HubException(
                file.name() + " of " + reference + " is being fetched already: wait until that is done");
    }

    private void fill(HubFile file, URI uri, BlobFile blob) throws IOException, InterruptedException {
        for (int attempt = 1; !blob.isWhole(); attempt++) {
            long before = blob.length();
            try {
                receive(file, uri, blob);
                if (!blob.isWhole()) {
                    throw new IOException(
                            "the connection ended after " + blob.length() + " of " + file.size() + " bytes");
                }
            } catch (UnwritableException e) {
                throw e;
            } catch (IOException e) {
                attempt = blob.length() > before ? 1 : attempt;
                connection.again(attempt, file.name() + " of " + reference, e);
            }
        }
    }

    private void finish(HubFile file, BlobFile blob) throws IOException {
        if (!blob.isUntouched()) {
            throw refused(file, blob, "was written by another program at the same time: it was deleted, run it again");
        }
        if (!blob.hasHash()) {
            throw refused(
                    file,
                    blob,
                    "arrived with another hash than the hub lists (" + file.hash()
                            + "): it is damaged and was deleted, run it again");
        }
        blob.finish();
    }

    private HubException refused(HubFile file, BlobFile blob, String why) throws IOException {
        blob.delete();
        fetched.accept(-blob.length());
        return new HubException(file.name() + " of " + reference + " " + why);
    }

    /** Appends what one answer brings. */
    private void receive(HubFile file, URI uri, BlobFile blob) throws IOException, InterruptedException {
        HttpResponse<HubBody> response = connection.open(uri, reference, blob.length());
        try (InputStream body = response.body()) {
            if (blob.length() > 0 && !goesOn(response, blob.length())) {
                fetched.accept(-blob.length()); // the server starts over
                blob.restart();
            }
            byte[] buffer = new byte[BUFFER];
            for (int count; (count = body.read(buffer)) >= 0; ) {
                if (blob.exceeds(count)) {
                    blob.delete();
                    throw new HubException(file.name() + " of " + reference + " is longer than the " + file.size()
                            + " bytes that the hub lists: it was deleted, run it again");
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
