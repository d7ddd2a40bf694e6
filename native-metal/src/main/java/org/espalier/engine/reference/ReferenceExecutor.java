package org.espalier.engine.reference;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import org.espalier.engine.Cancel;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Exchange;
import org.espalier.engine.Executor;
import org.espalier.engine.Loading;
import org.espalier.engine.NoMemoryException;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.program.Op;
import org.espalier.program.Program;
import org.espalier.program.View;
import org.espalier.weights.Matrix;
import org.espalier.weights.WeightReader;

/** A program with its mapped weights and the rows of its sessions. */
final class ReferenceExecutor implements Executor {

    private final Program program;
    private final EngineOptions options;
    private final Parallel parallel;
    private final Numbers numbers;
    private final WeightReader reader = WeightReader.mapped();
    private final Map<String, Matrix> matrices = new HashMap<>();
    private final Map<Long, Session> sessions = new HashMap<>();
    private boolean closed;

    private ReferenceExecutor(Program program, EngineOptions options, Numbers numbers) {
        this.program = program;
        this.options = options;
        this.parallel = new Parallel(options.threads());
        this.numbers = numbers;
    }

    /** Maps every weight, and copies slices by columns. */
    static ReferenceExecutor load(Program program, EngineOptions options, Loading loading, Numbers numbers) {
        ReferenceExecutor executor = new ReferenceExecutor(program, options, numbers);
        long all = program.plan().residentBytes();
        long done = 0;
        try {
            for (String name : program.weights().keySet()) {
                loading.cancel().check();
                Matrix matrix = executor.reader.open(name, program.weight(name));
                executor.matrices.put(name, matrix);
                if (matrix.weight().isPartOfRows()) {
                    matrix.copy(loading.cancel()::check);
                } else if (options.preparations().contains(EngineOptions.Preparation.WARM_UP)) {
                    matrix.touch(loading.cancel()::check);
                }
                done = Math.min(all, done + program.weight(name).bytes());
                loading.progress().loaded(done, all);
            }
            return executor;
        } catch (RuntimeException e) {
            executor.close();
            throw e;
        }
    }

    @Override
    public int activationBytes() {
        return numbers.bytes();
    }

    @Override
    public long residentBytes() {
        return program.plan().residentBytes();
    }

    @Override
    public long kvBytesPerRow() {
        return program.plan().cacheValuesPerRow() * Float.BYTES;
    }

    @Override
    public long stateBytes() {
        return program.plan().stateValues() * Float.BYTES;
    }

    @Override
    public long kvRowsFree() {
        return Math.max(0, kvLimit() - kvReserved() - stateBytes()) / Math.max(1, kvBytesPerRow());
    }

    private long kvLimit() {
        Runtime memory = Runtime.getRuntime();
        return options.kvBytes() > 0
                ? options.kvBytes()
                : memory.maxMemory() - memory.totalMemory() + memory.freeMemory() + kvReserved();
    }

    private long kvReserved() {
        return sessions.values().stream()
                .mapToLong(session -> kvBytes(session.maxLength()) + session.snapshotValues() * Float.BYTES)
                .sum();
    }

    private long kvBytes(int maxLength) {
        return program.plan().cacheValues(maxLength) * Float.BYTES;
    }

    @Override
    public void open(long session, int maxLength, RouterEdits edits) {
        requireKv(session, maxLength);
        sessions.put(
                session,
                new Session(
                        maxLength,
                        edits,
                        program.caches().stream()
                                .map(cache -> SessionCache.of(cache, maxLength))
                                .toList()));
    }

    private void requireKv(long session, int maxLength) {
        requireKv("session " + session + " of " + maxLength + " rows", kvBytes(maxLength));
    }

    private void requireKv(String what, long bytes) {
        long free = options.kvBytes() - kvReserved();
        if (options.kvBytes() > 0 && bytes > free) {
            throw new NoMemoryException(what + " needs " + bytes + " bytes of KV cache, " + free + " of "
                    + options.kvBytes() + " are free: close other sessions, open a shorter one, or raise the limit");
        }
    }

    @Override
    public void copyRows(long from, long to, int length) {
        Session source = sessions.get(from);
        requireKv(to, source.maxLength());
        sessions.put(to, source.copy(length));
    }

    @Override
    public void snapshot(long session) {
        requireKv("a snapshot of session " + session, stateBytes());
        sessions.get(session).snapshot();
    }

    @Override
    public void dropSnapshot(long session, int length) {
        sessions.get(session).dropSnapshot(length);
    }

    @Override
    public void dropRows(long session, int length) {
        sessions.get(session).drop(length);
    }

    @Override
    public void close(long session) {
        sessions.remove(session);
    }

    @Override
    public StepResult run(Step step, Exchange exchange, Cancel cancel) {
        StepRows rows = new StepRows(step, sessions);
        Slots slots = new Slots(program, rows.count(), rows.logitsRows().length);
        if (!program.embedsTokens()) {
            receive(step.activations(), slots, rows.count());
        }
        boolean alone = options.group().size() == 1;
        StepRun run = new StepRun(
                new StepRun.Loaded(program, matrices, parallel, numbers),
                slots,
                rows,
                new StepRun.Link(exchange, cancel, alone ? cancel : new Cancel()));
        for (Op op : program.ops()) {
            run.run(op);
            op.writes().stream()
                    .filter(view -> !slots.isLogits(view))
                    .forEach(view -> round(slots, view, rows.count()));
        }
        run.end();
        float[][] logits = run.logits();
        boolean hidden = step.wants(Step.Want.LAST_HIDDEN);
        ByteBuffer output = program.endsInLogits() && !hidden ? null : send(slots, rows.count());
        StepResult result = new StepResult(
                program.endsInLogits() ? null : output,
                logits,
                rows.greedy(),
                step.wants(Step.Want.ROUTING) ? run.routing() : null,
                hidden ? output : null);
        rows.commit(logits); // nothing after this can fail
        return result;
    }

    private void round(Slots slots, View view, int rows) {
        for (int t = 0; t < rows; t++) {
            numbers.round(slots.array(view), slots.offset(view, t), view.width());
        }
    }

    private void receive(ByteBuffer activations, Slots slots, int rows) {
        ByteBuffer bytes = activations.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        for (int t = 0; t < rows; t++) {
            int at = slots.offset(program.input(), t);
            for (int i = 0; i < program.hidden(); i++) {
                slots.array(program.input())[at + i] = numbers.get(bytes);
            }
        }
    }

    private ByteBuffer send(Slots slots, int rows) {
        ByteBuffer bytes =
                ByteBuffer.allocate(rows * program.hidden() * numbers.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int t = 0; t < rows; t++) {
            int at = slots.offset(program.output(), t);
            for (int i = 0; i < program.hidden(); i++) {
                numbers.put(bytes, slots.array(program.output())[at + i]);
            }
        }
        return bytes.flip();
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        closed = true;
        sessions.clear();
        matrices.clear();
        reader.close();
        parallel.close();
    }
}
