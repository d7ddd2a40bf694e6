package org.espalier.engine.library;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.espalier.engine.Cancel;
import org.espalier.engine.Exchange;
import org.espalier.engine.Executor;
import org.espalier.engine.ForwardingExecutor;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Routing;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.engine.library.RecordedCalls.Call;
import org.espalier.program.Program;

/** Writes down each call that succeeded. */
final class RecordedExecutor implements ForwardingExecutor {

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Executor executor;
    private final Program program;
    private final RecordedCalls calls;

    RecordedExecutor(Executor executor, Program program, RecordedCalls calls) {
        this.executor = executor;
        this.program = program;
        this.calls = calls;
    }

    @Override
    public Executor executor() {
        return executor;
    }

    @Override
    public void open(long session, int maxLength, RouterEdits edits) {
        executor.open(session, maxLength, edits);
        calls.add(Call.OPEN, new Words().addLong(session).add(maxLength).addPart(EditsWords.of(edits)));
    }

    @Override
    public void copyRows(long from, long to, int length) {
        executor.copyRows(from, to, length);
        calls.add(Call.COPY_ROWS, new Words().addLong(from).addLong(to).add(length));
    }

    @Override
    public void snapshot(long session) {
        executor.snapshot(session);
        calls.add(Call.SNAPSHOT, new Words().addLong(session));
    }

    @Override
    public void dropSnapshot(long session, int length) {
        executor.dropSnapshot(session, length);
        calls.add(Call.DROP_SNAPSHOT, new Words().addLong(session).add(length));
    }

    @Override
    public void dropRows(long session, int length) {
        executor.dropRows(session, length);
        calls.add(Call.DROP_ROWS, new Words().addLong(session).add(length));
    }

    @Override
    public void close(long session) {
        executor.close(session);
        if (!calls.isBroken()) { // else its session is closed because of that
            calls.add(Call.CLOSE, new Words().addLong(session));
        }
    }

    @Override
    public StepResult run(Step step, Exchange exchange, Cancel cancel) {
        RecordedExchange recorded = new RecordedExchange(exchange, program);
        StepResult result = executor.run(step, recorded, cancel);
        Words words = new Words()
                .addPart(StepWords.of(step))
                .addBytes(step.activations() == null ? NOTHING : step.activations())
                .append(recorded.words());
        calls.add(Call.RUN, addResult(words, result));
        return result;
    }

    private static Words addResult(Words words, StepResult result) {
        words.addBytes(result.activations() == null ? NOTHING : result.activations())
                .add(result.logits().length)
                .addBytes(floats(result.logits()))
                .addBytes(ints(result.greedy()));
        if (result.routing() == null) {
            words.add(0).addBytes(NOTHING).addBytes(NOTHING);
        } else {
            Routing routing = result.routing();
            words.add(routing.width()).addBytes(shorts(routing.experts())).addBytes(floats(routing.weights()));
        }
        return words.addBytes(result.lastHidden() == null ? NOTHING : result.lastHidden());
    }

    private static ByteBuffer little(int count, int bytes) {
        return ByteBuffer.allocate(Math.multiplyExact(count, bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer floats(float[]... rows) {
        int width = rows.length == 0 ? 0 : rows[0].length;
        ByteBuffer bytes = little(Math.multiplyExact(rows.length, width), Float.BYTES);
        for (float[] row : rows) {
            for (float value : row) {
                bytes.putFloat(value);
            }
        }
        return bytes.flip();
    }

    private static ByteBuffer ints(int[] values) {
        ByteBuffer bytes = little(values.length, Integer.BYTES);
        bytes.asIntBuffer().put(values);
        return bytes;
    }

    private static ByteBuffer shorts(short[] values) {
        ByteBuffer bytes = little(values.length, Short.BYTES);
        bytes.asShortBuffer().put(values);
        return bytes;
    }

    @Override
    public void close() {
        executor.close();
        calls.close();
    }
}
