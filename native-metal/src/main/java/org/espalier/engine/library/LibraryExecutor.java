package org.espalier.engine.library;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.lang.ref.Reference;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.ToIntFunction;
import org.espalier.engine.Cancel;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Exchange;
import org.espalier.engine.Exchange.Outcome;
import org.espalier.engine.Executor;
import org.espalier.engine.Loading;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.Program;

/** A program that a library has loaded. */
final class LibraryExecutor implements Executor {

    /** Of some hundred choices. */
    private static final int REPORT_BYTES = 1 << 16;

    private final EspalierLibrary library;
    private final Program program;
    private final Memory error = new Memory(EspalierLibrary.ERROR_BYTES);
    private final CallMemory words = new CallMemory();
    private final CallMemory activations = new CallMemory();
    private final NativeResult result = new NativeResult();
    /** What the library calls the program; 0 while nothing is loaded. */
    private long handle;

    private boolean closed;

    private LibraryExecutor(EspalierLibrary library, Program program) {
        this.library = library;
        this.program = program;
    }

    /** Maps the program's files; {@link #loadMore} does the rest. */
    static LibraryExecutor begin(EspalierLibrary library, Program program, EngineOptions options) {
        LibraryExecutor executor = new LibraryExecutor(library, program);
        try {
            executor.begin(options);
            return executor;
        } catch (RuntimeException | Error e) {
            executor.close();
            throw e;
        }
    }

    /** Loads all of it at once. */
    static LibraryExecutor load(EspalierLibrary library, Program program, EngineOptions options, Loading loading) {
        LibraryExecutor executor = begin(library, program, options);
        try {
            while (executor.loadMore(loading)) {
                // it looks for a cancel itself
            }
            return executor;
        } catch (RuntimeException | Error e) {
            executor.close();
            throw e;
        }
    }

    private void begin(EngineOptions options) {
        Words encoded = ProgramWords.of(program, options);
        try (Memory number = new Memory(Long.BYTES)) {
            number.setLong(0, 0);
            require(text -> library.es_load(words.put(encoded), encoded.count(), number, text));
            handle = number.getLong(0);
        }
    }

    @Override
    public boolean loadMore(Loading loading) {
        try (Memory number = new Memory(Long.BYTES)) {
            number.setLong(0, 0);
            loading.cancel().check();
            require(text -> library.es_load_more(handle, number, text));
            long done = number.getLong(0);
            long all = residentBytes();
            loading.progress().loaded(done, all);
            loading.cancel().check();
            return done < all;
        }
    }

    /** @param call given where the sentence of a failure goes */
    private void require(ToIntFunction<Pointer> call) {
        Status status = status(call);
        if (status != Status.OK) {
            throw failure(status);
        }
    }

    private Status status(ToIntFunction<Pointer> call) {
        requireOpen();
        error.setByte(0, (byte) 0);
        return Status.of(call.applyAsInt(error));
    }

    private EngineException failure(Status status) {
        return status.failure(error.getString(0, "UTF-8"));
    }

    @Override
    public int activationBytes() {
        return (int) library.es_activation_bytes(handle());
    }

    @Override
    public long residentBytes() {
        return library.es_resident_bytes(handle());
    }

    @Override
    public long kvBytesPerRow() {
        return library.es_kv_bytes_per_row(handle());
    }

    @Override
    public long stateBytes() {
        return library.es_state_bytes(handle());
    }

    @Override
    public long kvRowsFree() {
        return library.es_kv_rows_free(handle());
    }

    @Override
    public void open(long session, int maxLength, RouterEdits edits) {
        Words encoded = EditsWords.of(edits);
        require(text -> library.es_open(handle(), session, maxLength, words.put(encoded), encoded.count(), text));
    }

    @Override
    public void copyRows(long from, long to, int length) {
        require(text -> library.es_copy_rows(handle(), from, to, length, text));
    }

    @Override
    public void snapshot(long session) {
        require(text -> library.es_snapshot(handle(), session, text));
    }

    @Override
    public void dropSnapshot(long session, int length) {
        library.es_drop_snapshot(handle(), session, length);
    }

    @Override
    public void dropRows(long session, int length) {
        library.es_drop_rows(handle(), session, length);
    }

    @Override
    public void close(long session) {
        library.es_close_session(handle(), session);
    }

    @Override
    public StepResult run(Step step, Exchange exchange, Cancel cancel) {
        Words encoded = StepWords.of(step);
        Pointer flag = Native.getDirectBufferPointer(cancel.memory());
        try {
            Status status = status(text -> library.es_run(
                    handle(),
                    words.put(encoded),
                    encoded.count(),
                    activations.put(step.activations()),
                    flag,
                    result.pointer(),
                    text));
            while (status.pauses()) {
                status = resume(status, exchange, cancel);
            }
            if (status != Status.OK) {
                throw failure(status);
            }
            return result.copy(program, step);
        } finally {
            Reference.reachabilityFence(cancel);
            Reference.reachabilityFence(step);
        }
    }

    /** Does what a step waits for, and goes on with it. A step whose exchange throws is ended first: the library keeps no half of one. */
    private Status resume(Status paused, Exchange exchange, Cancel cancel) {
        Outcome outcome;
        ExchangeBegin op = (ExchangeBegin) program.ops().get(result.exchangeOp());
        try {
            outcome = exchange(paused, op, exchange, cancel);
        } catch (Throwable e) {
            resume(Outcome.FAILED);
            throw e;
        }
        Status status = resume(outcome);
        if (status == Status.FAILED && outcome == Outcome.FAILED) {
            throw new EngineException("exchange " + op.id() + " of program '" + program.name()
                    + "' failed: another node of the group failed or is gone");
        }
        return status;
    }

    private Outcome exchange(Status paused, ExchangeBegin op, Exchange exchange, Cancel cancel) {
        if (paused == Status.EXCHANGE_BEGIN) {
            exchange.begin(op, result.exchangeValues(), cancel);
            return Outcome.DONE;
        }
        return exchange.await(op.id());
    }

    private Status resume(Outcome outcome) {
        return status(text -> library.es_resume(handle(), outcome.ordinal(), result.pointer(), text));
    }

    @Override
    public OptionalDouble readRate(Executor.ReadSource source, long bytes) {
        try (Memory number = new Memory(Double.BYTES)) {
            require(text -> library.es_read_rate(handle(), source.ordinal(), bytes, number, text));
            double rate = number.getDouble(0);
            return rate > 0 ? OptionalDouble.of(rate) : OptionalDouble.empty();
        }
    }

    @Override
    public Optional<long[]> profile() {
        int ops = program.ops().size();
        try (Memory nanos = new Memory((long) Math.max(1, ops) * Long.BYTES)) {
            return Status.of(library.es_profile(handle(), nanos, ops)) == Status.OK
                    ? Optional.of(nanos.getLongArray(0, ops))
                    : Optional.empty();
        }
    }

    @Override
    public List<String> choices() {
        try (Memory text = new Memory(REPORT_BYTES)) {
            library.es_report(handle(), text, REPORT_BYTES);
            return text.getString(0, "UTF-8").lines().toList();
        }
    }

    private long handle() {
        requireOpen();
        return handle;
    }

    /** A call with a program or memory that is gone would end the process. */
    private void requireOpen() {
        if (closed) {
            throw new EngineException("program '" + program.name() + "' is no longer loaded");
        }
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        closed = true;
        if (handle != 0) {
            library.es_unload(handle);
            handle = 0;
        }
        result.close();
        activations.close();
        words.close();
        error.close();
    }
}
