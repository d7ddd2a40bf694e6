package org.espalier.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.function.LongConsumer;

/** Fetches one file into the cache: resumes where an earlier try ended, checks size and hash, and only then gives the blob its name. */
final class BlobDownload {

    private static final int BUFFER = 1 << 16;

    private final HubConnection connection;
    private final HubReference reference;
    private final HubCache cache;
    private final LongConsumer fetched;
    private final Duration stall;
    private final OpenStreams open = new OpenStreams();

    /**
     * @param fetched told the bytes that came, and negative numbers for bytes that are thrown away again
     * @param stall after so long without a byte the connection is given up
     */
    BlobDownload(
            HubConnection connection, HubReference reference, HubCache cache, LongConsumer fetched, Duration stall) {
        this.connection = connection;
        this.reference = reference;
        this.cache = cache;
        this.fetched = fetched;
        this.stall = stall;
    }

    /** Ends what is being fetched. */
    void stop() throws IOException {
        open.stop();
    }

    void fetch(HubFile file, String commit) throws IOException, InterruptedException {
        if (cache.has(file)) {
            return;
        }
        Path partial = cache.incomplete(file);
        try (FileChannel lockFile = FileChannel.open(
                        partial.resolveSibling(file.hash() + ".lock"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
                FileLock lock = lock(lockFile, file)) {
            if (!cache.has(file)) { // another process may have been faster
                fill(file, connection.uri(reference, commit, file), partial);
                Files.move(partial, cache.blob(file), StandardCopyOption.ATOMIC_MOVE);
            }
        } finally {
            Files.deleteIfExists(partial.resolveSibling(file.hash() + ".lock"));
        }
    }

    private FileLock lock(FileChannel channel, HubFile file) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return lock;
            }
        } catch (OverlappingFileLockException e) {
            throw busy(file);
        }
        throw busy(file);
    }

    private HubException busy(HubFile file) {
        return new HubException(
                file.name() + " of " + reference + " is being fetched already: wait until that is done");
    }

    private void fill(HubFile file, URI uri, Path partial) throws IOException, InterruptedException {
        Digest digest = new Digest(file);
        long length = Files.exists(partial) ? Files.size(partial) : 0;
        if (length > file.size()) {
            Files.delete(partial);
            length = 0;
        }
        digest.takeIn(partial, length);
        for (int attempt = 1; length < file.size() || !Files.exists(partial); attempt++) {
            long before = length;
            try {
                length = receive(file, uri, partial, length, digest);
                if (length < file.size()) {
                    throw new IOException("the connection ended after " + length + " of " + file.size() + " bytes");
                }
            } catch (IOException e) {
                if (open.stopped()) {
                    throw new InterruptedException();
                }
                length = Files.exists(partial) ? Files.size(partial) : 0;
                attempt = length > before ? 1 : attempt;
                connection.again(attempt, file.name() + " of " + reference, e);
            }
        }
        if (!digest.matches()) {
            Files.delete(partial);
            fetched.accept(-length);
            throw new HubException(file.name() + " of " + reference + " arrived with another hash than the hub lists ("
                    + file.hash() + "): it is damaged and was deleted, run it again");
        }
    }

    /**
     * Appends what one answer brings.
     *
     * @return the file's length then
     */
    private long receive(HubFile file, URI uri, Path partial, long from, Digest digest)
            throws IOException, InterruptedException {
        HttpResponse<InputStream> response = connection.open(uri, reference, from);
        long length = from;
        if (from > 0 && !goesOn(response, from)) {
            length = 0; // the server starts over
            fetched.accept(-from);
            digest.reset();
            Files.delete(partial);
        }
        try (InputStream body = response.body();
                OutputStream out =
                        Files.newOutputStream(partial, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                StallGuard guard = new StallGuard(body, stall)) {
            open.add(body);
            byte[] buffer = new byte[BUFFER];
            for (int count; !open.stopped() && (count = body.read(buffer)) >= 0; ) {
                guard.alive();
                if (length + count > file.size()) {
                    throw tooLong(file, partial);
                }
                out.write(buffer, 0, count);
                digest.add(buffer, count);
                length += count;
                fetched.accept(count);
            }
        } finally {
            open.remove(response.body());
        }
        return length;
    }

    private static boolean goesOn(HttpResponse<?> response, long from) {
        return response.statusCode() == 206
                && response.headers()
                        .firstValue("Content-Range")
                        .map(range -> range.startsWith("bytes " + from + "-"))
                        .orElse(false);
    }

    private HubException tooLong(HubFile file, Path partial) throws IOException {
        Files.deleteIfExists(partial);
        return new HubException(file.name() + " of " + reference + " is longer than the " + file.size()
                + " bytes that the hub lists: it was deleted, run it again");
    }

    /** The hash of what is there so far. */
    private static final class Digest {
        private final HubFile file;
        private final MessageDigest digest;

        Digest(HubFile file) {
            this.file = file;
            try {
                this.digest = MessageDigest.getInstance(file.isSha256() ? "SHA-256" : "SHA-1");
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e); // every JDK has both
            }
            reset();
        }

        void reset() {
            digest.reset();
            if (!file.isSha256()) {
                digest.update(("blob " + file.size() + "\0").getBytes(StandardCharsets.UTF_8));
            }
        }

        void takeIn(Path partial, long length) throws IOException {
            if (length == 0) {
                return;
            }
            try (InputStream in = Files.newInputStream(partial)) {
                byte[] buffer = new byte[BUFFER];
                for (int count; (count = in.read(buffer)) >= 0; ) {
                    add(buffer, count);
                }
            }
        }

        void add(byte[] bytes, int count) {
            digest.update(bytes, 0, count);
        }

        boolean matches() {
            return HexFormat.of().formatHex(digest.digest()).equals(file.hash());
        }
    }
}
