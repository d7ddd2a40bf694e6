package org.espalier.engine;

/**
 * A load in progress, as an engine sees it.
 *
 * @param progress told from time to time
 * @param cancel looked at between weights, or more often
 */
public record Loading(Progress progress, Cancel cancel) {

    /** Without a listener, never cancelled. */
    public static Loading quietly() {
        return new Loading((done, of) -> {}, new Cancel());
    }

    /** Told how far a load has come; must not block. */
    @FunctionalInterface
    public interface Progress {

        /** From now on the load waits for the engine, which may be busy with other programs. */
        default void waits() {}

        /** From now on the engine loads. On its thread. */
        default void loads() {}

        /** {@code done} of {@code of} bytes of weights. */
        void loaded(long done, long of);
    }
}
