package org.espalier.node.ring;

import java.util.Optional;
import org.espalier.failure.Failure;
import org.espalier.v1.Frame;

/** The receiving half of a link, told of what arrives in the order of its arrival. */
public interface FrameSource {

    void onFrame(Frame frame);

    /**
     * The stream has ended; nothing comes after this.
     *
     * @param said what the peer gave as the reason, if it did
     * @param reason what ended it as far as this side can see, for people: {@code its connection closed}
     */
    void onEnd(Optional<Failure> said, String reason);
}
