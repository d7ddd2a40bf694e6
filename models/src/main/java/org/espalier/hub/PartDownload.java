package org.espalier.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.function.LongConsumer;

/** Fetches ranges of a file to their places in a file of the same length. */
final class PartDownload {

    private static final int BUFFER = 1 << 16;

    private final HubConnection connection;
    private final HubReference reference;
    private final LongConsumer fetched;
    private final Duration stall;
    private final OpenStreams open = new OpenStreams();

    PartDownload(HubConnection connection, HubReference reference, LongConsumer fetched, Duration stall) {
        this.connection = connection;
        this.reference = reference;
        this.fetched = fetched;
        this.stall = stall;
    }

    /** Ends what is being fetched. */
    void stop() throws IOException {
        open.stop();
    }

    /** @param range begin and end, exclusive */
    void fetch(URI uri, long[] range, Path into) throws IOException, InterruptedException {
        Position at = new Position(range[0]);
        for (int attempt = 1; at.next < range[1]; attempt++) {
            long before = at.next;
            try {
                receive(uri, at, range[1], into);
                if (at.next < range[1]) {
                    throw new IOException("the connection ended at byte " + at.next + ", expected " + range[1]);
                }
            } catch (IOException e) {
                if (open.stopped()) {
                    throw new InterruptedException();
                }
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
        InputStream body = connection.openPart(uri, reference, at.next, end - 1).body();
        try (body;
                FileChannel file = FileChannel.open(into, StandardOpenOption.WRITE);
                StallGuard guard = new StallGuard(body, stall)) {
            open.add(body);
            byte[] buffer = new byte[BUFFER];
            for (int count; at.next < end && !open.stopped() && (count = body.read(buffer)) >= 0; ) {
                guard.alive();
                int wanted = (int) Math.min(count, end - at.next);
                ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, wanted);
                while (bytes.hasRemaining()) {
                    at.next += file.write(bytes, at.next);
                }
                fetched.accept(wanted);
            }
        } finally {
            open.remove(body);
        }
    }
}
