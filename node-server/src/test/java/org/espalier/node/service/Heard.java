package org.espalier.node.service;

import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.espalier.node.ring.agent.GrpcReplies;
import org.espalier.v1.GenerateReply;

/** What a generation that was started at the head itself answers. */
final class Heard implements StreamObserver<GenerateReply> {

    final List<GenerateReply> replies = new CopyOnWriteArrayList<>();
    private final CompletableFuture<List<GenerateReply>> end = new CompletableFuture<>();
    private final Map<Integer, Runnable> orders = new ConcurrentHashMap<>();

    /** Itself, as a generation takes it. */
    GrpcReplies replies() {
        return new GrpcReplies(this);
    }

    /** Gives an order as the n-th token comes, so that it takes effect after the step that is under way then. */
    Heard at(int tokens, Runnable order) {
        orders.put(tokens, order);
        return this;
    }

    List<Integer> tokens() {
        return FakeRing.tokens(replies);
    }

    /** Waits until so many tokens have come. */
    void await(int tokens) throws InterruptedException {
        FakeRing.eventually(Duration.ofSeconds(20), () -> {
            if (end.isCompletedExceptionally()) {
                end.join();
            }
            return tokens().size() >= tokens;
        });
    }

    /** Waits for the end; throws what the generation failed with. */
    List<GenerateReply> all() throws Exception {
        return end.get(30, TimeUnit.SECONDS);
    }

    @Override
    public void onNext(GenerateReply reply) {
        replies.add(reply);
        if (reply.hasToken()) {
            orders.getOrDefault(tokens().size(), () -> {}).run();
        }
    }

    @Override
    public void onError(Throwable error) {
        end.completeExceptionally(error);
    }

    @Override
    public void onCompleted() {
        end.complete(replies);
    }
}
