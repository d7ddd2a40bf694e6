package org.espalier.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A file as it grows, with the hash of what is there; it gets its name when size and hash are the expected ones. */
final class BlobFile implements AutoCloseable {

    private static final int BUFFER = 1 << 16;

    private final HubFile file;
    private final Path partial;
    private final Path blob;
    private final FileChannel channel;
    private final MessageDigest digest;
    private long length;

    /** Goes on with what an earlier run left, unless that is longer than the whole. */
    BlobFile(HubFile file, BlobPlace place) throws IOException {
        this.file = file;
        this.partial = place.incomplete();
        this.blob = place.blob();
        try {
            this.digest = MessageDigest.getInstance(file.isSha256() ? "SHA-256" : "SHA-1");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has both
        }
        this.channel = FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        try {
            begin();
            if (channel.size() > file.size()) {
                channel.truncate(0);
            }
            takeIn(channel.size());
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    private void begin() {
        digest.reset();
        if (!file.isSha256()) {
            digest.update(("blob " + file.size() + "\0").getBytes(StandardCharsets.UTF_8));
        }
        length = 0;
    }

    private void takeIn(long bytes) throws IOException {
        if (bytes == 0) {
            return;
        }
        try (InputStream in = Files.newInputStream(partial)) {
            byte[] buffer = new byte[BUFFER];
            for (int count; (count = in.read(buffer)) >= 0; ) {
                digest.update(buffer, 0, count);
                length += count;
            }
        }
    }

    long length() {
        return length;
    }

    boolean isWhole() {
        return length == file.size();
    }

    /** Whether so many more bytes would be too many. */
    boolean exceeds(int count) {
        return length + count > file.size();
    }

    /** @throws UnwritableException if the disk does not take them */
    void append(byte[] bytes, int count) throws IOException {
        try {
            ByteBuffer left = ByteBuffer.wrap(bytes, 0, count);
            while (left.hasRemaining()) {
                channel.write(left);
            }
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            throw new UnwritableException(e);
        }
        digest.update(bytes, 0, count);
        length += count;
    }

    /** Drops what is there. */
    void restart() throws IOException {
        channel.truncate(0);
        begin();
    }

    void delete() throws IOException {
        channel.close();
        Files.deleteIfExists(partial);
    }

    /** Whether the file has the bytes that came and no others: another program may have written to it, too. */
    boolean isUntouched() throws IOException {
        try {
            return Files.size(partial) == length;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Asked once, at the end. */
    boolean hasHash() {
        return HexFormat.of().formatHex(digest.digest()).equals(file.hash());
    }

    /** Gives the blob its name. */
    void finish() throws IOException {
        channel.close(); // an open file cannot be moved everywhere
        Files.move(partial, blob, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
