package org.espalier.node.ring;

import org.espalier.v1.Frame;

/** Where a stage sends its frames: a link to the next node, or the scheduler in a ring of one. */
@FunctionalInterface
interface FrameSink {
    void send(Frame.Builder frame);
}
