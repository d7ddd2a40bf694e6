package org.espalier.kernel;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.espalier.DaemonThreads;
import org.espalier.kernel.jshell.ReadableStream;
import org.espalier.kernel.jupyter.Cell;

/**
 * Standard output and error of the process, shown in the cell that runs, or that ran last: a thread may write on after its cell ended.
 * What is written in quick succession goes out together.
 */
final class CellStreams {

    private static final long FLUSH_MILLIS = 50;
    private static final int FLUSH_BYTES = 8192;

    private final Stream out = new Stream("stdout");
    private final Stream err = new Stream("stderr");
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(new DaemonThreads("espalier-output"));
    private Cell cell;

    /**
     * Takes System.out and System.err over.
     *
     * @param readable see {@link ReadableStream}
     */
    void install(UnaryOperator<String> readable) {
        System.setOut(new ReadableStream(out, readable));
        System.setErr(new ReadableStream(err, readable));
        timer.scheduleWithFixedDelay(this::flush, FLUSH_MILLIS, FLUSH_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** From now on output belongs to this cell. */
    synchronized void begin(Cell next) {
        flush();
        cell = next;
    }

    /** Sends what waits. */
    synchronized void flush() {
        out.flushText();
        err.flushText();
    }

    /** Bytes on their way to text; half a character waits for its rest. */
    private final class Stream extends OutputStream {

        private final String name;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Stream(String name) {
            this.name = name;
        }

        @Override
        public void write(int b) {
            synchronized (CellStreams.this) {
                bytes.write(b);
                flushFull();
            }
        }

        @Override
        public void write(byte[] from, int offset, int length) {
            synchronized (CellStreams.this) {
                bytes.write(from, offset, length);
                flushFull();
            }
        }

        private void flushFull() {
            if (bytes.size() >= FLUSH_BYTES) {
                flushText();
            }
        }

        private void flushText() {
            if (bytes.size() == 0 || cell == null) {
                return;
            }
            ByteBuffer waiting = ByteBuffer.wrap(bytes.toByteArray());
            CharBuffer text = CharBuffer.allocate(waiting.remaining());
            CharsetDecoder decoder = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPLACE)
                    .onUnmappableCharacter(CodingErrorAction.REPLACE);
            decoder.decode(waiting, text, false);
            bytes.reset();
            bytes.write(waiting.array(), waiting.position(), waiting.remaining());
            if (text.flip().hasRemaining() && !cell.silent()) {
                cell.stream(name, text.toString());
            }
        }
    }
}
