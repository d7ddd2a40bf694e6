package org.espalier.node.ring;

import org.espalier.v1.Frame;

/** The sending half of a link: frames leave in the order in which they are given. No call blocks or calls back. */
public interface FrameSink {

    void send(Frame frame);

    /** Ends the stream after what was sent before. */
    void end();

    /** Ends the stream at once; what was sent before may be lost. */
    void drop();
}
