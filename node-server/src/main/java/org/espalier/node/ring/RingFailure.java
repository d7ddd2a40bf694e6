package org.espalier.node.ring;

import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.v1.Shard;

/** Why a ring cannot continue. */
public final class RingFailure {

    private RingFailure() {}

    static Failure lost(Shard shard, String reason) {
        return new Failure(shard.getNode(), Failure.Kind.NODE_LOST, RingPlace.name(shard) + " is lost: " + reason)
                .with(Remedy.LOAD_AGAIN);
    }

    /** A node that was shut down properly. */
    public static Failure ended(Shard shard) {
        return lost(shard, "it was shut down");
    }

    /** A deployment that is no longer on a node, for instance because it was unloaded. */
    public static Failure gone(RingPlace place, String what) {
        String node = place.self().getNode();
        return new Failure(
                        node,
                        Failure.Kind.DEPLOYMENT_GONE,
                        "deployment '" + place.deployment() + "' was " + what + " on node " + node)
                .with(Remedy.LOAD_AGAIN);
    }

    /** A node violated the protocol. */
    static Failure violation(Shard shard, String reason) {
        return new Failure(
                        shard.getNode(),
                        Failure.Kind.PROTOCOL,
                        RingPlace.name(shard) + " broke the protocol: " + reason)
                .with(Remedy.LOAD_AGAIN);
    }
}
