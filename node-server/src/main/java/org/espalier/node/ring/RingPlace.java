package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.espalier.v1.Shard;
import org.espalier.v1.StageProgress;

/**
 * One node's place in the ring of a deployment.
 *
 * @param shards in ring order: the first is the head, the last samples
 * @param index this node's position among them
 * @param digest of what all nodes of the ring must agree on, see {@link PlacementDigest}
 */
public record RingPlace(String deployment, long epoch, List<Shard> shards, int index, ByteString digest) {

    /** Of a step, in milliseconds: a minute, see {@link StepTimes}, and what reads 50 TB at 50 MB/s. */
    private static final long LEAST_LIMIT = 60_000;

    private static final long LONGEST_LIMIT = 1_000_000_000;

    private static final long LONGEST_ROW_MICROS = TimeUnit.NANOSECONDS.toMicros(StepTimes.LONGEST_ROW);

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

    public Shard head() {
        return shards.get(0);
    }

    public boolean isHead() {
        return index == 0;
    }

    public boolean isLast() {
        return index == shards.size() - 1;
    }

    /** Whether a node is one of the ring. */
    boolean has(String node) {
        return shards.stream().anyMatch(shard -> shard.getNode().equals(node));
    }

    /** What is wrong with what the nodes before this one say of themselves: the last of them in ring order, as many as are known; empty if nothing. */
    Optional<String> checkBefore(List<StageProgress> stages) {
        int before = isHead() ? shards.size() : index;
        if (stages.size() > before) {
            return Optional.of(
                    "its heartbeat speaks of " + stages.size() + " nodes, " + before + " are before this one");
        }
        for (int i = 0; i < stages.size(); i++) {
            StageProgress stage = stages.get(i);
            String expected = shards.get(before - stages.size() + i).getNode();
            if (!stage.getNode().equals(expected)) {
                return Optional.of(
                        "its heartbeat speaks of node '" + stage.getNode() + "', expected '" + expected + "'");
            }
            if (stage.getReceived() < -1
                    || stage.getFinished() < -1
                    || stage.getRunningMillis() < 0
                    || stage.getLimitMillis() < LEAST_LIMIT
                    || stage.getLimitMillis() > LONGEST_LIMIT
                    || stage.getRowLimitMicros() < 0
                    || stage.getRowLimitMicros() > LONGEST_ROW_MICROS) {
                return Optional.of("its heartbeat has numbers of node '" + expected + "' that no node has");
            }
        }
        return Optional.empty();
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
