package org.espalier.engine;

import org.espalier.program.Program;

/**
 * A program with its weights and the KV state of its sessions. One owner thread calls everything but {@link
 * #residentBytes}: devices bind their streams to a thread. Session operations take effect in call order between steps.
 */
public interface LoadedProgram extends AutoCloseable {

    Program program();

    /** Bytes of one activation value on the wire: 4 (float32) or 2 (bfloat16), little-endian. */
    int activationBytes();

    /** Memory that the weights occupy, in bytes. */
    long residentBytes();

    /**
     * Opens an empty session.
     *
     * @param maxLength the greatest number of rows that its KV state will ever hold
     */
    void open(long session, int maxLength, RouterEdits edits);

    /** Drops KV rows from {@code length} on. */
    void truncate(long session, int length);

    /** Opens session {@code to} with a copy of the first {@code length} KV rows of {@code from} and its edits. */
    void fork(long from, long to, int length);

    /** Frees a session; one that is not open is ignored, so that closing twice is harmless. */
    void close(long session);

    /** KV rows that a session holds. */
    int length(long session);

    /**
     * Runs all ops over the rows of the step and appends their KV rows.
     *
     * @param exchange called at each exchange op; {@link Exchange#ALONE} where the program has none
     * @throws CancelledException when {@code cancel} was set; KV keeps its former length
     * @throws EngineException for a step that does not fit the program or its sessions
     */
    StepResult run(Step step, Exchange exchange, Cancel cancel);

    @Override
    void close();
}
