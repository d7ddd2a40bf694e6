package org.espalier.engine.library;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.espalier.EspalierException;
import org.espalier.engine.EngineException;

/** A recording's file of calls, which is complete after each of them. */
final class RecordedCalls implements AutoCloseable {

    /** In the order of their numbers in RECORDING.md. */
    enum Call {
        OPEN,
        COPY_ROWS,
        SNAPSHOT,
        DROP_SNAPSHOT,
        DROP_ROWS,
        CLOSE,
        RUN
    }

    private final Path file;
    private final FileChannel channel;
    private boolean broken;

    private RecordedCalls(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    static RecordedCalls create(Path file) throws IOException {
        return new RecordedCalls(file, FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
    }

    void add(Call call, Words words) {
        ByteBuffer bytes = new Words().add(call.ordinal()).addPart(words).toBytes();
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            broken = true;
            throw failure(e);
        }
    }

    /** Whether a call could not be added, for instance since the disk is full. */
    boolean isBroken() {
        return broken;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private EngineException failure(IOException e) {
        return new EngineException("cannot record to " + file + ": " + EspalierException.reason(e, file), e);
    }
}
