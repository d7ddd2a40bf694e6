package org.espalier.kernel.magic;

/** A command of a notebook, {@code %name arguments} or, with a body, {@code %%name arguments}. A new one is a class and an entry in {@link Magics}. */
public interface Magic {

    /** Without its percent signs. */
    String name();

    /** What it does, in one line. */
    String summary();

    /** Its usage, with its options; shown by {@code %help}. */
    String usage();

    /**
     * Runs it, on the thread that runs cells; an interrupt of the cell interrupts this thread.
     *
     * @throws org.espalier.EspalierException with one clear sentence for what a user can fix
     * @throws InterruptedException if the cell was interrupted
     */
    void run(MagicCall call) throws InterruptedException;
}
