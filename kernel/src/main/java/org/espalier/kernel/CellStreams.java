package org.espalier.kernel;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.UnaryOperator;
import org.espalier.DaemonThreads;
import org.espalier.kernel.jshell.ReadableStream;
import org.espalier.kernel.jupyter.Cell;
import org.espalier.kernel.jupyter.Failures;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Standard output and error of the process, shown in the cell that runs, or that ran last: a thread may write on after its cell ended.
 * What is written in quick succession goes out together, and where nobody watches the cell run, all text between two other outputs. The
 * order of the two streams is kept, unless they change so often that nobody could read it. One thread sends; whoever writes waits while too much waits to be sent, until it is interrupted.
 */
final class CellStreams {

    private static final Logger LOG = LoggerFactory.getLogger(CellStreams.class);

    /** Text waits so long for more of the same line, and so long after the message before. */
    private static final long SETTLE_NANOS = 10_000_000;

    private static final long PAUSE_NANOS = 50_000_000;

    /** Changes of the stream between two times that text is sent; with more, both streams are gathered. */
    private static final int CHANGES = 50;

    /** Of one message; JSON may need twice that. */
    private static final int MESSAGE_BYTES = 32 << 10;

    private static final int UNWATCHED_MESSAGE_BYTES = 1_000_000;
    private static final int WAITING_BYTES = 2_000_000;
    /** What text weighs beside its bytes, so that many small pieces are bounded too. */
    private static final int CHUNK_BYTES = 256;

    /** Text of one stream in one cell; null for the cell that is to come. */
    private static final class Chunk {
        private Cell cell;
        private final Stream stream;
        private final long since = System.nanoTime();
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Chunk(Cell cell, Stream stream) {
            this.cell = cell;
            this.stream = stream;
        }
    }

    private final Stream out = new Stream("stdout");
    private final Stream err = new Stream("stderr");
    private final Deque<Chunk> chunks = new ArrayDeque<>();
    private volatile Cell cell;
    /** Whether text of the cell is kept until something else is shown. */
    private boolean kept;

    private long waiting;
    private long lastSent = System.nanoTime() - PAUSE_NANOS;
    /** Chunks made, sent, and to be sent at once, since the start. */
    private long made;

    private long sent;
    private long wanted;

    /**
     * Takes System.out and System.err over.
     *
     * @param readable see {@link ReadableStream}
     */
    void install(UnaryOperator<String> readable) {
        System.setOut(new ReadableStream(out, readable));
        System.setErr(new ReadableStream(err, readable));
        new DaemonThreads("espalier-output").newThread(this::send).start();
    }

    /** From now on output belongs to this cell. */
    void begin(Cell next) {
        flush();
        next.takeTime();
        next.beforeOutput(this::flush);
        synchronized (this) {
            cell = next;
            kept = next.unwatched();
            chunks.stream().filter(chunk -> chunk.cell == null).forEach(chunk -> chunk.cell = next);
            notifyAll();
        }
    }

    /** Sends what waits; what threads of the cell still write goes out as it comes. */
    void end() {
        flush();
        synchronized (this) {
            kept = false;
            notifyAll();
        }
        cell.takeTime();
    }

    /** Ends all waits for slow clients, so that the cell that was interrupted can end. */
    void hurry() {
        Cell running = cell;
        if (running != null) {
            running.hurry();
        }
    }

    /** Returns when all that was written before is on its way; {@link #hurry} ends the wait soon. */
    void flush() {
        boolean interrupted = false;
        synchronized (this) {
            if (cell == null) {
                return;
            }
            long all = made;
            wanted = Math.max(wanted, all);
            notifyAll();
            while (sent < all) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                    cell.hurry();
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void write(Stream stream, byte[] from, int offset, int length) throws InterruptedIOException {
        int at = offset;
        while (at < offset + length) {
            int limit = kept ? UNWATCHED_MESSAGE_BYTES : MESSAGE_BYTES;
            if (waiting >= WAITING_BYTES) {
                if (cell == null) {
                    return; // so much before the first cell has no place
                }
                await();
                continue;
            }
            Chunk chunk = last(stream);
            if (chunk == null || chunk.bytes.size() >= limit) {
                chunk = new Chunk(cell, stream);
                chunks.add(chunk);
                made++;
                waiting += CHUNK_BYTES;
                notifyAll();
            }
            int count = Math.min(offset + length - at, limit - chunk.bytes.size());
            chunk.bytes.write(from, at, count);
            at += count;
            waiting += count;
            if (chunk.bytes.size() >= limit) {
                notifyAll();
            }
        }
    }

    /** The chunk that the stream's text continues; null for none. */
    private Chunk last(Stream stream) {
        Iterator<Chunk> latest = chunks.descendingIterator();
        Chunk last = latest.hasNext() ? latest.next() : null;
        while (chunks.size() >= CHANGES && last.stream != stream && latest.hasNext()) {
            last = latest.next();
        }
        return last != null && last.stream == stream && last.cell == cell ? last : null;
    }

    private void await() throws InterruptedIOException {
        try {
            wait();
        } catch (InterruptedException e) {
            throw new InterruptedIOException(
                    "interrupted while output waited for a client to read"); // the caller's PrintStream interrupts
            // again
        }
    }

    private void send() {
        while (true) {
            try {
                Chunk chunk = take();
                try {
                    chunk.stream.show(chunk);
                } finally {
                    sent(chunk);
                }
            } catch (InterruptedException e) {
                // by code that interrupts every thread it finds: this one is still needed
            } catch (RuntimeException | Error e) {
                Failures.log(LOG, "output could not be sent", e);
            }
        }
    }

    private synchronized Chunk take() throws InterruptedException {
        while (true) {
            Chunk first = chunks.peek();
            long left = first == null || first.cell == null ? Long.MAX_VALUE : nanosLeft(first);
            if (left <= 0) {
                wanted = Math.max(wanted, kept ? made - 1 : made); // what waits beside it is old enough, too
                return chunks.remove();
            }
            if (left == Long.MAX_VALUE) {
                wait();
            } else {
                wait(left / 1_000_000, (int) (left % 1_000_000));
            }
        }
    }

    private long nanosLeft(Chunk first) {
        boolean keptOn = kept && first.cell == cell;
        int limit = keptOn ? UNWATCHED_MESSAGE_BYTES : MESSAGE_BYTES;
        if (first.bytes.size() >= limit || wanted > sent) {
            return 0;
        }
        if (keptOn && chunks.size() == 1) {
            return Long.MAX_VALUE;
        }
        long now = System.nanoTime();
        return Math.max(first.since + SETTLE_NANOS - now, lastSent + PAUSE_NANOS - now);
    }

    private synchronized void sent(Chunk chunk) {
        waiting -= CHUNK_BYTES + chunk.bytes.size();
        lastSent = System.nanoTime();
        sent++;
        notifyAll();
    }

    /** Bytes on their way to text; half a character waits for its rest. */
    private final class Stream extends OutputStream {

        private final String name;
        /** Belongs to the thread that sends. */
        private byte[] half = new byte[0];

        Stream(String name) {
            this.name = name;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            CellStreams.this.write(this, from, offset, length);
        }

        private void show(Chunk chunk) {
            ByteBuffer bytes = ByteBuffer.allocate(half.length + chunk.bytes.size());
            bytes.put(half).put(chunk.bytes.toByteArray()).flip();
            CharBuffer text = CharBuffer.allocate(bytes.remaining());
            CharsetDecoder decoder = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPLACE)
                    .onUnmappableCharacter(CodingErrorAction.REPLACE);
            decoder.decode(bytes, text, false);
            half = new byte[bytes.remaining()];
            bytes.get(half);
            if (text.flip().hasRemaining()) {
                chunk.cell.stream(name, text.toString());
            }
        }
    }
}
