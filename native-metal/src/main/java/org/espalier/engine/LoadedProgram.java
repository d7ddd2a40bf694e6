package org.espalier.engine;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Supplier;
import org.espalier.program.Program;

/**
 * A program on an engine, with the KV state of its sessions. It checks the program when it is loaded, and every session and step, with
 * the same messages for all engines; below it an {@link Executor} computes and trusts what was checked.
 *
 * <p>Any thread may call; everything runs on the engine's thread, in the order of the calls. Session operations take effect between steps.
 */
public final class LoadedProgram implements AutoCloseable {

    private final Engine engine;
    private final Program program;
    private final EngineOptions options;
    private final Map<Long, OpenSession> sessions = new HashMap<>();
    private final int activationBytes;
    private final long residentBytes;
    private final long kvRows;
    private final long kvSessionRows;
    private final StepCheck steps;
    /** Null after the device was lost, until the program is loaded again. */
    private Executor executor;

    private boolean closed;

    private LoadedProgram(Engine engine, Program program, EngineOptions options, Executor executor) {
        this.engine = engine;
        this.program = program;
        this.options = options;
        this.executor = executor;
        this.activationBytes = executor.activationBytes();
        this.residentBytes = executor.residentBytes();
        this.kvSessionRows = rowsOf(executor.stateBytes(), executor.kvBytesPerRow());
        this.kvRows = executor.kvRowsFree() + kvSessionRows;
        this.steps = new StepCheck(program, activationBytes);
    }

    /**
     * Checks the program and loads it; if that fails, nothing stays loaded.
     *
     * @throws org.espalier.program.ProgramException when the program does not make sense
     * @throws org.espalier.weights.WeightException when a weight is not inside its file, or cannot be read
     * @throws EngineException when the engine cannot run it, naming op or weight
     * @throws CancelledException when the load was cancelled
     */
    public static LoadedProgram load(Engine engine, Program program, EngineOptions options, Loading loading) {
        program.check(options.group().rank(), options.group().size());
        EngineProvider provider = engine.provider();
        if (!provider.precisions().contains(options.precision())) {
            throw new EngineException("the engine " + provider.name() + " has no precision "
                    + options.precision().title() + ", only " + Precision.titles(provider.precisions()));
        }
        provider.refusal(program, options).ifPresent(why -> {
            throw new EngineException(
                    "the engine " + provider.name() + " cannot run program '" + program.name() + "': " + why);
        });
        Executor executor = turn(engine, loading, () -> engine.load(program, options, loading));
        LoadedProgram loaded;
        try {
            while (turn(engine, loading, () -> executor.loadMore(loading))) {
                // whoever else waits for the engine has had a turn
            }
            loaded = turn(engine, loading, () -> new LoadedProgram(engine, program, options, executor));
        } catch (RuntimeException | Error e) {
            free(engine, executor);
            throw e;
        }
        loading.progress().waits();
        if (options.preparations().contains(EngineOptions.Preparation.WARM_UP)) {
            loaded.warmUp(loading.cancel());
        }
        return loaded;
    }

    /** A load's turn on the engine's thread. */
    private static <T> T turn(Engine engine, Loading loading, Supplier<T> work) {
        loading.progress().waits();
        return engine.thread().call(() -> {
            loading.cancel().check();
            loading.progress().loads();
            return work.get();
        });
    }

    private static void free(Engine engine, Executor executor) {
        if (!engine.thread().isClosed()) { // whose end frees it
            engine.thread().call(() -> {
                executor.close();
                return null;
            });
        }
    }

    /** Runs one step that leaves nothing behind; if it fails, so does the load. A node of a group cannot run a step alone. */
    private void warmUp(Cancel cancel) {
        if (options.group().size() > 1) {
            return;
        }
        try {
            open(0, 1, RouterEdits.NONE);
            ByteBuffer zeros = program.embedsTokens() ? null : ByteBuffer.allocate(program.hidden() * activationBytes);
            Step.Entry entry = program.embedsTokens()
                    ? Step.Entry.ofTokens(0, 0, new int[1], Step.Logits.LAST)
                    : Step.Entry.ofRows(0, 0, 1, Step.Logits.LAST);
            run(new Step(List.of(entry), zeros, Set.of()), Exchange.ALONE, cancel);
            close(0);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    public Program program() {
        return program;
    }

    public EngineOptions options() {
        return options;
    }

    /** Bytes of one activation value on the wire: 4 (float32) or 2 (bfloat16), little-endian. */
    public int activationBytes() {
        return activationBytes;
    }

    /** Memory that the weights occupy, in bytes. */
    public long residentBytes() {
        return residentBytes;
    }

    /**
     * Rows of sessions for which there is KV memory in all, as far as it was known when it was loaded; each session takes {@link #kvSessionRows}
     * of them beside its own.
     */
    public long kvRows() {
        return kvRows;
    }

    /** In how many rows' place the states of a session lie, those that do not grow; as many more for each snapshot. */
    public long kvSessionRows() {
        return kvSessionRows;
    }

    private static long rowsOf(long bytes, long bytesPerRow) {
        long row = Math.max(1, bytesPerRow);
        return (bytes + row - 1) / row;
    }

    /** KV bytes that one more row of a session takes. */
    public long kvBytesPerRow() {
        return call(() -> device().kvBytesPerRow());
    }

    /** Bytes of the states of a session, beside its rows; a snapshot takes as many. */
    public long stateBytes() {
        return call(() -> device().stateBytes());
    }

    /** Rows of new sessions for which KV memory is left. */
    public long kvRowsFree() {
        return call(() -> device().kvRowsFree());
    }

    /**
     * Opens an empty session.
     *
     * @param maxLength the most rows that its KV state will ever hold
     */
    public void open(long session, int maxLength, RouterEdits edits) {
        run(() -> {
            requireFree(session);
            if (maxLength < 1) {
                throw new EngineException(
                        "session " + session + " cannot be opened for " + maxLength + " rows: expected at least 1");
            }
            steps.check(edits);
            device().open(session, maxLength, edits);
            sessions.put(session, new OpenSession(new SessionLength(program, maxLength)));
        });
    }

    /**
     * Keeps the states of the session as they are, so that it can be truncated or forked to its present length later on. It does nothing where
     * the program has no states.
     *
     * @throws EngineException if there are too many snapshots, or no memory for one; the session is unchanged
     */
    public void snapshot(long session) {
        run(() -> {
            SessionLength length = session(session).length();
            if (length.needsSnapshot()) {
                length.reasonAgainstSnapshot().ifPresent(why -> {
                    throw new EngineException("no snapshot of session " + session + " can be taken: " + why);
                });
                device().snapshot(session);
                length.snapshot();
            }
        });
    }

    /** Frees the snapshot that was taken at {@code length}, if there is one. */
    public void dropSnapshot(long session, int length) {
        run(() -> {
            if (session(session).length().dropSnapshot(length)) {
                device().dropSnapshot(session, length);
            }
        });
    }

    /** Drops KV rows from {@code length} on. */
    public void truncate(long session, int length) {
        run(() -> {
            requireTruncate(session, length);
            device().dropRows(session, length);
            session(session).truncate(length);
        });
    }

    /** Throws what {@link #truncate} would throw, and changes nothing. */
    public void checkTruncate(long session, int length) {
        run(() -> requireTruncate(session, length));
    }

    private void requireTruncate(long session, int length) {
        OpenSession found = session(session);
        int rows = found.length().get();
        if (length < 0 || length > rows) {
            throw new EngineException(
                    "session " + session + " has " + rows + " rows and cannot be truncated to " + length);
        }
        requireTruncatable(session, found, length);
    }

    /** Opens session {@code to} with the first {@code length} KV rows of {@code from} and its edits, without its snapshots. */
    public void fork(long from, long to, int length) {
        run(() -> {
            OpenSession source = session(from);
            int rows = source.length().get();
            if (length < 0 || length > rows) {
                throw new EngineException(
                        "session " + from + " has " + rows + " rows, but a fork of " + length + " was asked for");
            }
            requireFree(to);
            requireTruncatable(from, source, length);
            device().copyRows(from, to, length);
            sessions.put(to, new OpenSession(source.length().copy(length)));
        });
    }

    private void requireFree(long session) {
        if (sessions.containsKey(session)) {
            throw new EngineException("session " + session + " is already open");
        }
    }

    private static void requireTruncatable(long id, OpenSession session, int length) {
        session.length().reasonAgainstTruncation(length).ifPresent(why -> {
            throw new EngineException(
                    "session " + id + " has " + session.length().get() + " rows and cannot be truncated to " + length
                            + ": " + why + "; open a new session and send its tokens again");
        });
    }

    /** Frees a session; closing one that is not open does nothing. */
    public void close(long session) {
        run(() -> {
            if (sessions.remove(session) != null) { // then the device is there
                executor.close(session);
            }
        });
    }

    /** KV rows that a session holds. */
    public int length(long session) {
        return call(() -> session(session).length().get());
    }

    private OpenSession session(long id) {
        OpenSession session = sessions.get(id);
        if (session == null) {
            throw new EngineException("session " + id + " is not open");
        }
        return session;
    }

    /**
     * Runs all ops over the rows of the step and appends their KV rows. A step that fails or is cancelled leaves every session unchanged.
     *
     * @param exchange called at each exchange op; {@link Exchange#ALONE} where the program has none
     * @throws CancelledException when {@code cancel} was set
     * @throws EngineException for a step that does not fit the program or its sessions, or that failed
     */
    public StepResult run(Step step, Exchange exchange, Cancel cancel) {
        return call(() -> {
            steps.check(step, this::session);
            StepResult result = device().run(step, exchange, cancel);
            for (Step.Entry entry : step.entries()) {
                boolean logits = program.endsInLogits() && entry.logits() != Step.Logits.NONE;
                session(entry.session()).stepped(entry.position() + entry.rows(), logits);
            }
            return result;
        });
    }

    private void run(Runnable work) {
        call(() -> {
            work.run();
            return null;
        });
    }

    /** Runs on the engine's thread. A lost device takes all sessions with it. */
    private <T> T call(Supplier<T> work) {
        return engine.thread().call(() -> {
            if (closed) {
                throw new EngineException("program '" + program.name() + "' is no longer loaded");
            }
            try {
                return work.get();
            } catch (DeviceLostException e) {
                int lost = sessions.size();
                sessions.clear();
                release();
                throw new DeviceLostException(
                        "the engine " + engine.provider().name() + " lost its device: " + e.getMessage() + "; " + lost
                                + (lost == 1 ? " session is" : " sessions are")
                                + " gone with it: open new ones and send their tokens again",
                        e);
            }
        });
    }

    /** Whoever needs the device after it was lost loads the program anew; what only asks or frees does not. */
    private Executor device() {
        if (executor == null) {
            executor = loadAgain();
        }
        return executor;
    }

    /** In one turn: what waits for it are its own sessions. */
    private Executor loadAgain() {
        Executor again = engine.load(program, options, Loading.quietly());
        try {
            while (again.loadMore(Loading.quietly())) {
                // goes on
            }
            return again;
        } catch (RuntimeException | Error e) {
            again.close();
            throw e;
        }
    }

    private void release() {
        Executor old = executor;
        executor = null;
        if (old != null) {
            old.close();
        }
    }

    /** Bytes a second at which the engine's threads read {@code bytes} of memory; empty where the engine does not tell, or there is too little to read. */
    public OptionalDouble readRate(Executor.ReadSource source, long bytes) {
        return call(() -> device().readRate(source, bytes));
    }

    /** Nanoseconds spent in each op of the program since it was last asked; empty unless it was loaded with {@link EngineOptions.Preparation#PROFILE}. */
    public Optional<long[]> profile() {
        return call(() -> device().profile());
    }

    /** What the engine chose for this program while it ran, and why, a sentence each: for people. */
    public List<String> choices() {
        return call(() -> device().choices());
    }

    /** Frees weights and sessions; closing twice, or after the engine, is harmless. */
    @Override
    public void close() {
        if (engine.thread().isClosed()) {
            return;
        }
        engine.thread().call(() -> {
            closed = true;
            sessions.clear();
            release();
            return null;
        });
    }
}
