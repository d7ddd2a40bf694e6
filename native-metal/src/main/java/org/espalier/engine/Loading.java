package org.espalier.engine;

/**
 * A load under way, as an engine sees it.
 *
 * @param progress told now and then
 * @param cancel looked at between weights, or more often
 */
public record Loading(Progress progress, Cancel cancel) {

    /** Nobody listens, nobody cancels. */
    public static Loading quietly() {
        return new Loading((done, of) -> {}, new Cancel());
    }

    /** Is told how far a load is; called on the engine's thread, must not block. */
    @FunctionalInterface
    public interface Progress {
        /** {@code done} of {@code of} bytes of weights. */
        void loaded(long done, long of);
    }
}
