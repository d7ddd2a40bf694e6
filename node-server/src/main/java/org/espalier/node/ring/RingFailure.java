package org.espalier.node.ring;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.v1.Shard;
import org.espalier.v1.StageProgress;

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

    /** A node whose engine does not come back, perhaps from the work of another deployment. */
    static Failure hung(Shard shard, boolean own, long seconds) {
        return new Failure(
                        shard.getNode(),
                        Failure.Kind.TIMED_OUT,
                        RingPlace.name(shard) + " does not answer in time: its engine has been busy with "
                                + (own ? "one step" : "the work of another deployment") + " for " + seconds + " s")
                .with(Remedy.LOAD_AGAIN);
    }

    /** A step that no node computes and that does not come back: it is with the first node that has not finished it. */
    static Failure stuck(RingPlace place, long step, long seconds, List<StageProgress> stages) {
        int last = 0;
        while (last < stages.size() - 1 && stages.get(last).getFinished() >= step) {
            last++;
        }
        Shard shard = place.shards().get(last);
        StageProgress said = stages.get(last);
        return new Failure(
                        shard.getNode(),
                        Failure.Kind.TIMED_OUT,
                        "step " + step + " has not come back for " + seconds + " s, and no node says that it computes"
                                + " it; " + RingPlace.name(shard) + " should have it: the last one it received is "
                                + said.getReceived() + ", the last one it finished " + said.getFinished())
                .with(Remedy.LOAD_AGAIN);
    }

    /** A question of the head that does not come back, although steps do. */
    static Failure unanswered(Shard last, long nanos) {
        return new Failure(
                        last.getNode(),
                        Failure.Kind.TIMED_OUT,
                        RingPlace.name(last) + " has not answered whether a session can be truncated or forked for "
                                + TimeUnit.NANOSECONDS.toSeconds(nanos) + " s")
                .with(Remedy.LOAD_AGAIN);
    }

    /** A request for the head that came to another node. */
    public static Failure notHead(RingPlace place) {
        return new Failure(
                place.self().getNode(),
                Failure.Kind.INVALID,
                RingPlace.name(place.self()) + " is not the head of deployment " + place.deployment() + ": ask "
                        + RingPlace.name(place.head()));
    }

    /** A node violated the protocol. */
    static Failure violation(Shard shard, String reason) {
        return new Failure(
                        shard.getNode(),
                        Failure.Kind.PROTOCOL,
                        RingPlace.name(shard) + " broke the protocol: " + reason)
                .with(Remedy.LOAD_AGAIN);
    }

    /** What a neighbour says has failed: its word counts for nodes of the ring alone. */
    static Failure said(RingPlace place, Shard neighbour, Failure failure) {
        return failure.node().isEmpty() || place.has(failure.node())
                ? failure
                : violation(neighbour, "it says of a node '" + failure.node() + "': " + failure.message());
    }
}
