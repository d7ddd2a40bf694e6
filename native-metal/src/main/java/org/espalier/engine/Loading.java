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

    /** Told how far a load has come; called on the engine's thread, must not block. */
    @FunctionalInterface
    public interface Progress {
        /** {@code done} of {@code of} bytes of weights. */
        void loaded(long done, long of);
    }
}
