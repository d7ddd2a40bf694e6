package org.espalier.node.ring;

import org.espalier.failure.Failure;

/**
 * What a member of a ring asks of the world. No call blocks or calls back: what comes of it arrives later, on the agent's thread, as a call
 * of the {@link FrameSource}, the {@link EngineQueue} or the {@link Member}.
 */
public interface RingPorts {

    /** The time in nanoseconds from an arbitrary origin. */
    long nanos();

    /** Begins a link to the next node. */
    FrameSink dial(FrameSource replies);

    /** The ring was ended by a defect of this node. */
    void defect(Throwable error);

    /** The ring cannot continue; it may join again by itself. */
    void broken(Failure why);

    /** The ring broke for good: it was tried in vain to join it again. */
    void gaveUp(Failure why);

    /** The ring serves, for the first time or again. */
    void joined(long incarnation);
}
