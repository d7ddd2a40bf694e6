package org.espalier.node.ring;

import org.espalier.failure.Failure;
import org.espalier.v1.GenerateReply;

/** Where a generation's replies go. No call blocks or calls back; after {@link #finish} or {@link #fail} there is no other. */
public interface Replies {

    void next(GenerateReply reply);

    void finish();

    void fail(Failure why);

    /** Bytes that were given and that the client has not taken yet. Once it takes them, {@link Member#ready} is called. */
    long unreadBytes();
}
