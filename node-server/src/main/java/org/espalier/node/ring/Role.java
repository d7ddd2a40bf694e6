package org.espalier.node.ring;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.espalier.failure.Failure;
import org.espalier.v1.Frame;
import org.espalier.v1.StageProgress;

/**
 * What a node is in its ring, beside the stage that all have: the {@link Head} schedules, a {@link Follower} computes what comes. How work
 * leaves the stage is its {@link Exit}, which makes a follower a middle or the tail; a ring of one node is a head with a tail's exit.
 */
sealed interface Role permits Head, Follower {

    /** Whether the ring begins here: this node dials before it has been dialled, counts incarnations, and begins each heartbeat. */
    boolean begins();

    /** Generations that run or wait here. */
    int generations();

    /**
     * The previous node has sent a numbered frame; in a ring of one this node's own stage.
     *
     * @throws IllegalArgumentException if it is not meant for this role, or cannot be used
     */
    void accept(Frame frame);

    /**
     * The ring serves.
     *
     * @param kvRows rows of sessions for which all nodes have KV memory
     * @param kvSessionRows how many of them each session takes beside its own
     * @param stepRows the most of a step for which all nodes have room
     */
    void serve(long kvRows, long kvSessionRows, int stepRows);

    /**
     * Each 0.5 s.
     *
     * @param stages what each stage has last said of itself; empty if not known
     */
    void tick(List<StageProgress> stages);

    /** Nothing runs any more, and why. To be called again where it throws something. */
    void fail(Failure why);

    void submit(HeadSession session);

    /** As {@link #submit}, in a copy of the first {@code length} rows of another generation's session. */
    void fork(HeadSession session, long from, int length);

    /** Truncates a session between two of its steps. */
    void truncate(long session, int length, CompletableFuture<Void> done);

    void cancel(long session);

    /** Ends all generations of a client whose connection broke. */
    void cancelClient(String client, String connection);

    /** The client of a generation takes its replies again. */
    void ready(long session);
}
