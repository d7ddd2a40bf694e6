package org.espalier.node.service;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.espalier.engine.Cancel;
import org.espalier.failure.Failure;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.Shard;

/** A load in progress. It may be ended from outside: by its client going away, by an unload, by the node closing. The first reason counts. */
final class RunningLoad {

    private final LoadRequest request;
    private final LoadWatch watch;
    private final Cancel cancel = new Cancel();
    private final CompletableFuture<Failure> reason = new CompletableFuture<>();
    private final CountDownLatch done = new CountDownLatch(1);

    /** @param watch told of what it waits for */
    RunningLoad(LoadRequest request, LoadWatch watch) {
        this.request = request;
        this.watch = watch;
    }

    LoadWatch watch() {
        return watch;
    }

    LoadRequest request() {
        return request;
    }

    /** The shard that is being loaded. */
    Shard self() {
        return request.getPlacement().getShards(request.getShard());
    }

    /** The flag that the loader checks between its phases. */
    Cancel cancel() {
        return cancel;
    }

    void end(Failure why) {
        reason.complete(why);
        cancel.set();
    }

    boolean ended() {
        return reason.isDone();
    }

    /** Completes when it is ended from outside. */
    CompletableFuture<Failure> whenEnded() {
        return reason;
    }

    /** Why it was ended; null if it was not. */
    Failure reason() {
        return reason.getNow(null);
    }

    /** Nobody works on it any more. */
    void done() {
        done.countDown();
    }

    /** Waits until nobody works on it; false if that took longer. */
    boolean awaitDone(long millis) throws InterruptedException {
        return done.await(millis, TimeUnit.MILLISECONDS);
    }

    /** @throws org.espalier.failure.FailureException with the reason if it was ended */
    void check() {
        Failure why = reason();
        if (why != null) {
            throw why.exception();
        }
    }
}
