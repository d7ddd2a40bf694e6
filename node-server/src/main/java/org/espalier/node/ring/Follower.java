package org.espalier.node.ring;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.espalier.failure.Failure;
import org.espalier.v1.Frame;
import org.espalier.v1.StageProgress;

/** Any node but the head: it computes what the previous one sends, and no client begins anything here. */
record Follower(RingPlace place, Stage stage) implements Role {

    @Override
    public boolean begins() {
        return false;
    }

    @Override
    public int generations() {
        return 0;
    }

    @Override
    public void accept(Frame frame) {
        stage.accept(frame);
    }

    @Override
    public void serve(long kvRows, long kvSessionRows, int stepRows) {}

    @Override
    public void tick(List<StageProgress> stages) {}

    @Override
    public void fail(Failure why) {}

    private Failure refusal() {
        return RingFailure.notHead(place);
    }

    @Override
    public void submit(HeadSession session) {
        session.replies.fail(refusal());
    }

    @Override
    public void fork(HeadSession session, long from, int length) {
        session.replies.fail(refusal());
    }

    @Override
    public void truncate(long session, int length, CompletableFuture<Void> done) {
        done.completeExceptionally(refusal().exception());
    }

    @Override
    public void cancel(long session) {}

    @Override
    public void cancelClient(String client, String connection) {}

    @Override
    public void ready(long session) {}
}
