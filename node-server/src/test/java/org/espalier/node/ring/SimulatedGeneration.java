package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.espalier.failure.Failure;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.Routing;

/** A generation and what its client hears; a client may be slow to read, or never read again. */
final class SimulatedGeneration implements Replies {

    final long id;
    final GenerateRequest request;
    final List<Integer> tokens = new ArrayList<>();
    /** The experts of each position that it computed, of all layers. */
    final List<ByteString> routing = new ArrayList<>();

    final boolean isFork;
    /** Rows that it takes over from another session. */
    final int taken;
    /** The most tokens that it can have. */
    final int room;

    private final World world;
    private SimulatedNode node;
    /** Null unless it was begun. */
    private SimulatedShard shard;

    private Optional<Failure> failure = Optional.empty();
    private boolean ended;
    private boolean cancelled;
    private long unread;
    private long lastReply;
    private long longestSilence;
    private String defect = "";

    SimulatedGeneration(World world, long id, GenerateRequest request) {
        this(world, id, request, false, 0, Integer.MAX_VALUE);
    }

    private SimulatedGeneration(World world, long id, GenerateRequest request, boolean isFork, int taken, int room) {
        this.isFork = isFork;
        this.taken = taken;
        this.room = room;
        this.world = world;
        this.id = id;
        this.request = request;
        this.lastReply = world.now();
    }

    /** A fork of the first rows of this one, which can have as many rows as this one can. */
    SimulatedGeneration fork(long fork, GenerateRequest other, int rows) {
        int most = request.getPromptCount() + request.getMaxTokens();
        return new SimulatedGeneration(world, fork, other, true, rows, most - other.getPromptCount());
    }

    /** Where it was asked for. */
    void at(SimulatedNode head) {
        node = head;
    }

    /** Where it runs. */
    void begun(SimulatedShard head) {
        shard = head;
    }

    SimulatedNode node() {
        return node;
    }

    boolean runsIn(Member member) {
        return shard != null && shard.member == member;
    }

    boolean wasBegun() {
        return shard != null;
    }

    /** Has its head do something for it, if it was begun. */
    void handle(Consumer<Member> what) {
        node.handle(() -> {
            if (shard != null) {
                shard.guarded(() -> what.accept(shard.member));
            }
        });
    }

    @Override
    public void next(GenerateReply reply) {
        node.allocate();
        heard();
        if (ended) {
            defect = "a reply after the end";
        }
        if (reply.hasToken()) {
            tokens.add(reply.getToken().getId());
        } else if (reply.hasRouting()) {
            add(reply.getRouting());
        }
    }

    private void heard() {
        longestSilence = Math.max(longestSilence, world.now() - lastReply);
        lastReply = world.now();
    }

    private void add(Routing more) {
        if (more.getPosition() != taken + routing.size()) {
            defect = "routing of position " + more.getPosition() + " after " + (taken + routing.size());
        }
        int bytes = more.getWidth() * Short.BYTES;
        for (int row = 0; row < more.getRows(); row++) {
            ByteString experts = ByteString.EMPTY;
            for (int layer = 0; layer < more.getLayersCount(); layer++) {
                int from = (layer * more.getRows() + row) * bytes;
                experts = experts.concat(more.getExperts().substring(from, from + bytes));
            }
            routing.add(experts);
        }
    }

    @Override
    public void finish() {
        node.allocate();
        end();
    }

    @Override
    public void fail(Failure why) {
        if (!ended) { // as one over gRPC
            node.allocate();
            refuse(why);
        }
    }

    /** Fails, by another thread than the agent's. */
    void refuse(Failure why) {
        if (!ended) {
            end();
            failure = Optional.of(why);
        }
    }

    private void end() {
        heard();
        if (ended) {
            defect = "it ended twice";
        }
        ended = true;
    }

    @Override
    public long unreadBytes() {
        return unread;
    }

    void setUnread(long bytes) {
        unread = bytes;
    }

    void cancel() {
        cancelled = true;
    }

    boolean isOver() {
        return ended || cancelled;
    }

    boolean wasCancelled() {
        return cancelled && !ended;
    }

    Optional<Failure> failure() {
        return failure;
    }

    String defect() {
        return defect;
    }

    long longestSilence() {
        return longestSilence;
    }
}
