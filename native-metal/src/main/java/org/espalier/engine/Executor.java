package org.espalier.engine;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * An engine's side of a loaded program. It trusts its caller, {@link LoadedProgram}: sessions are open, lengths fit, tokens and edits are
 * valid. Everything is called on the engine's thread.
 */
public interface Executor extends AutoCloseable {

    /**
     * Goes on with a load for a moment; called until it returns false, and nothing else is before that. Other programs of the engine run in
     * between.
     *
     * @return whether something is left to do
     * @throws CancelledException when the load was cancelled; the caller frees what was loaded
     * @throws EngineException when a weight cannot be read; likewise
     */
    default boolean loadMore(Loading loading) {
        return false;
    }

    /** Bytes of one activation value between shards: 4 (float32) or 2 (bfloat16), little-endian. */
    int activationBytes();

    /** Memory that the weights occupy, in bytes. */
    long residentBytes();

    /** KV bytes that one more row of a session takes. */
    long kvBytesPerRow();

    /** Bytes of the states of a session, beside its rows; a snapshot takes as many, and a running step as many again while it runs. */
    long stateBytes();

    /** Rows of new sessions for which KV memory is left. */
    long kvRowsFree();

    /** Opens an empty session that will hold at most {@code maxLength} rows. */
    void open(long session, int maxLength, RouterEdits edits);

    /**
     * Opens session {@code to} with the first {@code length} rows of {@code from} and its edits, without its snapshots; pages may be shared
     * until one of them is written.
     */
    void copyRows(long from, long to, int length);

    /**
     * Keeps the states of a session as they are at its present length, until it is cut below that, or closed, or {@link #dropSnapshot}.
     *
     * @throws EngineException if there is no memory for it; the session is unchanged
     */
    void snapshot(long session);

    /** Frees the snapshot that was taken at {@code length}. */
    void dropSnapshot(long session, int length);

    /** Forgets the rows of a session from {@code length} on; its states become those of the snapshot at that length, which stays, or empty. */
    void dropRows(long session, int length);

    /** Frees a session. */
    void close(long session);

    /**
     * Runs all ops over the rows of the step and appends their KV rows.
     *
     * @param exchange called at each exchange op; in a group of several nodes only its outcome cancels, so that no member stops alone
     * @throws CancelledException when it was cancelled; sessions are unchanged
     * @throws DeviceLostException when the device is gone, and all sessions with it
     * @throws EngineException for any other failure; sessions are unchanged
     */
    StepResult run(Step step, Exchange exchange, Cancel cancel);

    /**
     * Bytes a second at which the engine's threads read memory, all at once.
     *
     * @param bytes how many are read
     * @return empty where the engine does not read memory itself, and where there is too little to read for a rate
     * @throws EngineException if there is no memory for it
     */
    default OptionalDouble readRate(ReadSource source, long bytes) {
        return OptionalDouble.empty();
    }

    /** Which memory is read for a rate. */
    enum ReadSource {
        /** The weights where they lie. */
        WEIGHTS,
        /** As many bytes of the process's own, in huge pages where there are any. */
        OWN
    }

    /** Nanoseconds spent in each op, [ops], since it was last asked; empty unless it was loaded with {@link EngineOptions.Preparation#PROFILE}. */
    default Optional<long[]> profile() {
        return Optional.empty();
    }

    /** What the engine chose for this program while it ran, and why, a sentence each: for people. */
    default List<String> choices() {
        return List.of();
    }

    /** Frees weights and sessions. */
    @Override
    void close();
}
