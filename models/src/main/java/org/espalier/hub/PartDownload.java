package org.espalier.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.LongConsumer;

/** Fetches ranges of a file to their places in a file of the same length. */
final class PartDownload {

    private static final int BUFFER = 1 << 16;

    private final HubConnection connection;
    private final HubReference reference;
    private final LongConsumer fetched;

    PartDownload(HubConnection connection, HubReference reference, LongConsumer fetched) {
        this.connection = connection;
        this.reference = reference;
        this.fetched = fetched;
    }

    /**
     * Returns when the range is there; the thread's interrupt ends it.
     *
     * @param range begin and end, exclusive
     * @throws IOException if it cannot be written
     */
    void fetch(URI uri, long[] range, Path into) throws IOException, InterruptedException {
        Position at = new Position(range[0]);
        for (int attempt = 1; at.next < range[1]; attempt++) {
            long before = at.next;
            try {
                receive(uri, at, range[1], into);
                if (at.next < range[1]) {
                    throw new IOException("the connection ended at byte " + at.next + ", expected " + range[1]);
                }
            } catch (UnwritableException e) {
                throw e;
            } catch (IOException e) {
                attempt = at.next > before ? 1 : attempt;
                connection.again(attempt, into.getFileName() + " of " + reference, e);
            }
        }
    }

    /** How far it came, also when it fails. */
    private static final class Position {
        private long next;

        Position(long next) {
            this.next = next;
        }
    }

    private void receive(URI uri, Position at, long end, Path into) throws IOException, InterruptedException {
        try (InputStream body =
                        connection.openPart(uri, reference, at.next, end - 1).body();
                FileChannel file = open(into)) {
            byte[] buffer = new byte[BUFFER];
            for (int count; at.next < end && (count = body.read(buffer)) >= 0; ) {
                int wanted = (int) Math.min(count, end - at.next);
                write(ByteBuffer.wrap(buffer, 0, wanted), at, file);
                fetched.accept(wanted);
            }
        }
    }

    private static FileChannel open(Path into) throws IOException {
        try {
            return FileChannel.open(into, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new UnwritableException(e);
        }
    }

    private static void write(ByteBuffer bytes, Position at, FileChannel file) throws IOException {
        try {
            while (bytes.hasRemaining()) {
                at.next += file.write(bytes, at.next);
            }
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            throw new UnwritableException(e);
        }
    }
}
