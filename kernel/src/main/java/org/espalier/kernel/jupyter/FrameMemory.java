package org.espalier.kernel.jupyter;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import zmq.Msg;
import zmq.msg.MsgAllocator;

/**
 * Memory for frames that come in. The library asks for as much as a frame's header says, a negative number where it says 2^63 or more,
 * and what is thrown here ends the thread that serves all sockets. A frame that cannot be had is empty instead: what follows on its
 * connection is then no message.
 *
 * @param most bytes of one frame
 */
record FrameMemory(long most) implements MsgAllocator {

    private static final Logger LOG = LoggerFactory.getLogger(FrameMemory.class);

    @Override
    public Msg allocate(int size) {
        if (size >= 0 && size <= most) {
            try {
                return new Msg(size);
            } catch (OutOfMemoryError e) {
                LOG.warn("no memory for a frame of {} bytes", size);
            }
        }
        return new Msg(0);
    }
}
