package org.espalier.node.ring;

import java.util.Optional;
import org.espalier.failure.Failure;
import org.espalier.v1.Frame;

/** The receiving half of a link, told of what arrives in the order of its arrival. */
public interface FrameSource {

    void onFrame(Frame frame);

    /** Bytes of a frame have come: on a slow wire a large one takes longer than a peer may be silent, and heartbeats wait behind it. */
    default void onBytes() {}

    /**
     * The stream has ended; nothing comes after this.
     *
     * @param said what the peer gave as the reason, if it did
     * @param reason what ended it as far as this side can see, for people: {@code its connection closed}
     */
    void onEnd(Optional<Failure> said, String reason);
}
