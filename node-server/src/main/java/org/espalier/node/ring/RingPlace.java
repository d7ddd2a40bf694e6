package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.util.List;
import org.espalier.v1.Shard;

/**
 * One node's place in the ring of a deployment.
 *
 * @param shards in ring order: the first is the head, the last samples
 * @param index this node's position among them
 * @param digest of what all nodes of the ring must agree on, see {@link PlacementDigest}
 */
public record RingPlace(String deployment, long epoch, List<Shard> shards, int index, ByteString digest) {

    public RingPlace {
        shards = List.copyOf(shards);
    }

    public Shard self() {
        return shards.get(index);
    }

    public Shard next() {
        return shards.get((index + 1) % shards.size());
    }

    public Shard previous() {
        return shards.get((index + shards.size() - 1) % shards.size());
    }

    public boolean isHead() {
        return index == 0;
    }

    public boolean isLast() {
        return index == shards.size() - 1;
    }

    /** How work leaves this node's shard. */
    Exit exit() {
        return isLast() ? new Tail(this) : new Relay();
    }

    /** Whether one node holds the whole model. */
    public boolean isAlone() {
        return shards.size() == 1;
    }

    /** A shard's node, as messages name it. */
    public static String name(Shard shard) {
        return "node " + shard.getNode() + " (" + shard.getAddress() + ")";
    }
}
