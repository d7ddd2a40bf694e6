package org.espalier.node.ring;

import org.espalier.v1.Failure;
import org.espalier.v1.Shard;

/**
 * Why a ring cannot go on.
 *
 * @param node that failed or is lost
 * @param message one sentence that names the node
 */
public record RingFailure(String node, String message) {

    static final String ADVICE = "run `%cluster` to see the nodes, `%model load` to place the model again";

    static RingFailure lost(Shard shard, String reason) {
        return new RingFailure(shard.getNode(), RingPlace.name(shard) + " is lost: " + reason + "; " + ADVICE);
    }

    /** A node that was shut down in order. */
    public static RingFailure ended(Shard shard) {
        return lost(shard, "it was shut down");
    }

    /** A node sent what it must not send. */
    static RingFailure violation(Shard shard, String reason) {
        return new RingFailure(
                shard.getNode(), RingPlace.name(shard) + " broke the protocol: " + reason + "; " + ADVICE);
    }

    static RingFailure of(Failure failure) {
        return new RingFailure(failure.getNode(), failure.getMessage());
    }

    Failure toProto() {
        return Failure.newBuilder().setNode(node).setMessage(message).build();
    }
}
