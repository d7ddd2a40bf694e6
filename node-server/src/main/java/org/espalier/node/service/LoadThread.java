package org.espalier.node.service;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.espalier.DaemonThreads;
import org.espalier.failure.Failure;
import org.espalier.node.ring.StageShard;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a load on a thread of its own, so that whoever waits for it goes on when it was ended and does not come back: a read from a share that does
 * not answer cannot be interrupted. Such a thread is left behind; a shard that it loads after all is freed.
 */
final class LoadThread {

    private static final Logger LOG = LoggerFactory.getLogger(LoadThread.class);

    private final CompletableFuture<StageShard> result = new CompletableFuture<>();

    /** @param free takes a shard that nobody waits for any more */
    LoadThread(Supplier<StageShard> load, Consumer<StageShard> free) {
        new DaemonThreads("espalier-load")
                .newThread(() -> {
                    try {
                        StageShard shard = load.get();
                        if (!result.complete(shard)) {
                            free.accept(shard);
                        }
                    } catch (Throwable e) {
                        result.completeExceptionally(e);
                    }
                })
                .start();
    }

    /**
     * Waits for the shard.
     *
     * @param grace how long after the load was ended its thread may still take to come back
     * @throws org.espalier.failure.FailureException with the reason of the end if it does not
     * @throws RuntimeException or Error: what the load threw
     */
    StageShard await(RunningLoad loading, Supplier<Duration> grace) {
        try {
            watch(CompletableFuture.anyOf(result.exceptionally(e -> null), loading.whenEnded()), loading);
            return loading.ended() ? result.get(grace.get().toMillis(), TimeUnit.MILLISECONDS) : result.get();
        } catch (ExecutionException e) {
            throw thrown(e.getCause());
        } catch (TimeoutException e) {
            return leaveBehind(loading);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            String node = loading.self().getNode();
            loading.end(new Failure(node, Failure.Kind.CANCELLED, "the request was interrupted on node " + node));
            return leaveBehind(loading);
        }
    }

    /** Tells the client each second what the load waits for, and ends one that waits for too long. */
    private static void watch(CompletableFuture<?> over, RunningLoad loading)
            throws InterruptedException, ExecutionException {
        while (true) {
            try {
                over.get(1, TimeUnit.SECONDS);
                return;
            } catch (TimeoutException e) {
                loading.watch().tick().ifPresent(loading::end);
            }
        }
    }

    private static RuntimeException thrown(Throwable cause) {
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof RuntimeException known ? known : new IllegalStateException(cause);
    }

    private StageShard leaveBehind(RunningLoad loading) {
        Failure why = loading.reason();
        boolean engine = loading.watch().awaited().source() == ShardLoader.Source.ENGINE;
        Failure said = new Failure(
                why.node(),
                why.kind(),
                why.message()
                        + (engine
                                ? "; its engine is busy, and frees what was loaded once it comes to that"
                                : "; the thread that reads its files does not come back and is left behind"),
                why.remedy());
        if (result.completeExceptionally(said.exception())) {
            LOG.warn("{}{}", said.message(), engine ? "" : ": do they lie on a share or disk that does not answer?");
            throw said.exception();
        }
        try {
            return result.join(); // it came back just now
        } catch (CompletionException e) {
            throw thrown(e.getCause());
        }
    }
}
