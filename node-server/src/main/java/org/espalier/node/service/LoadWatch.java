package org.espalier.node.service;

import io.grpc.stub.StreamObserver;
import java.util.Optional;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.espalier.v1.LoadProgress;

/**
 * How far a load is and what it waits for, as its client is told: when bytes come, and each second when none do. A load whose files or whose engine
 * let it wait too long is given up. Seconds are counted as they are told, so that a pause of this process is one of them.
 */
final class LoadWatch implements ShardLoader.Progress {

    /** An engine that is busy ends its step, or is found to be stuck, well before. */
    private static final int ENGINE_SHARE = 5;

    private final String node;
    private final Limits limits;
    private final StreamObserver<LoadProgress> replies;
    private LoadProgress last = LoadProgress.getDefaultInstance();
    private ShardLoader.Awaited awaited = new ShardLoader.Awaited(ShardLoader.Source.LOAD, "its turn");
    private int silent;
    private boolean over;

    LoadWatch(String node, Limits limits, StreamObserver<LoadProgress> replies) {
        this.node = node;
        this.limits = limits;
        this.replies = replies;
    }

    @Override
    public synchronized void report(long done, long total) {
        silent = 0;
        send(LoadProgress.newBuilder().setBytesDone(done).setBytesTotal(total).build());
    }

    @Override
    public synchronized void awaits(ShardLoader.Awaited what) {
        if (!what.equals(awaited)) {
            awaited = what;
            silent = 0;
        }
    }

    /** What the load waits for. */
    synchronized ShardLoader.Awaited awaited() {
        return awaited;
    }

    /** Each second, by whoever waits for the load; says why it is to be given up, if it is. */
    synchronized Optional<Failure> tick() {
        silent++;
        send(last.toBuilder().setWaitingFor(silent > 1 ? awaited.words() : "").build());
        return silent > most() ? Optional.of(givenUp()) : Optional.empty();
    }

    private long most() {
        long seconds = limits.of(Limit.LOAD_SECONDS);
        return switch (awaited.source()) {
            case FILES -> seconds;
            case ENGINE -> seconds * ENGINE_SHARE;
            case LOAD -> Long.MAX_VALUE; // which has an end of its own
        };
    }

    private Failure givenUp() {
        String why = awaited.source() == ShardLoader.Source.FILES
                ? ": the share or disk that they lie on does not answer"
                : ": load again when that has ended";
        return new Failure(
                        node,
                        Failure.Kind.TIMED_OUT,
                        "node " + node + " has waited " + most() + " s for " + awaited.words() + why)
                .with(Remedy.LOAD_AGAIN);
    }

    /** Nothing is sent from now on: whoever answers the call goes on. */
    synchronized void close() {
        over = true;
    }

    private void send(LoadProgress progress) {
        if (!over) {
            last = progress;
            replies.onNext(progress);
        }
    }
}
