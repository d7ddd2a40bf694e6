package org.espalier.node.faults;

import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.NodeGrpc;

/** A generation that a client has asked for, and how it went. */
final class Asked implements StreamObserver<GenerateReply> {

    /** Prompts of the demo model, some longer than a step. */
    static final int PROMPTS = 8;

    private final Context.CancellableContext context = Context.current().withCancellation();
    private final int prompt;
    private final int length;
    private final boolean otherClient;
    private final List<Integer> tokens = new ArrayList<>();
    private final CompletableFuture<Throwable> ended = new CompletableFuture<>();
    private volatile boolean cancelled;

    private Asked(int prompt, int length, boolean otherClient) {
        this.prompt = prompt;
        this.length = length;
        this.otherClient = otherClient;
    }

    /** Asks over a client's connection to the head. */
    static Asked over(Channel client, long epoch, int prompt, int length) {
        return ask(client, new Asked(prompt, length, false), epoch);
    }

    /** The same for a client that may be killed. */
    static Asked overOther(Channel client, long epoch, int prompt, int length) {
        return ask(client, new Asked(prompt, length, true), epoch);
    }

    /** Sends a request that is no generation's. */
    static Asked of(Channel client, GenerateRequest request) {
        Asked asked = new Asked(0, 0, true);
        asked.context.run(() -> NodeGrpc.newStub(client).generate(request, asked));
        return asked;
    }

    private static Asked ask(Channel client, Asked asked, long epoch) {
        GenerateRequest request = request(epoch, asked.prompt, asked.length);
        asked.context.run(() -> NodeGrpc.newStub(client).generate(request, asked));
        return asked;
    }

    static GenerateRequest request(long epoch, int prompt, int length) {
        GenerateRequest.Builder request = GenerateRequest.newBuilder()
                .setDeployment(ProcessRing.ID)
                .setEpoch(epoch)
                .setClient("test")
                .setMaxTokens(length);
        int rows = prompt % 4 == 3 ? 300 : 5 + prompt * 3;
        for (int i = 0; i < rows; i++) {
            request.addPrompt(300 + (prompt * 977 + i * 131) % 3000);
        }
        return request.build();
    }

    int prompt() {
        return prompt;
    }

    int length() {
        return length;
    }

    boolean isOfTheOtherClient() {
        return otherClient;
    }

    boolean wasCancelled() {
        return cancelled;
    }

    void cancel() {
        cancelled = true;
        context.cancel(null);
    }

    synchronized List<Integer> tokens() {
        return List.copyOf(tokens);
    }

    /** Waits for the end. */
    boolean ends(Duration limit) throws Exception {
        try {
            ended.get(limit.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    boolean over() {
        return ended.isDone();
    }

    /** Null if it finished. */
    Throwable error() {
        return ended.join();
    }

    /** What the head said; otherwise what its connection says. */
    Failure failure() {
        return FailureStatus.details(error())
                .orElseGet(() -> new Failure(
                        ProcessRing.name(0),
                        Status.fromThrowable(error()).getCode() == Status.Code.CANCELLED
                                ? Failure.Kind.CANCELLED
                                : Failure.Kind.NODE_LOST,
                        error().toString()));
    }

    @Override
    public synchronized void onNext(GenerateReply reply) {
        if (reply.hasToken()) {
            tokens.add(reply.getToken().getId());
        }
    }

    @Override
    public void onError(Throwable error) {
        ended.complete(error);
        context.close();
    }

    @Override
    public void onCompleted() {
        ended.complete(null);
        context.close();
    }

    @Override
    public String toString() {
        return "prompt " + prompt + ", " + tokens().size() + " of " + length + " tokens"
                + (over() ? error() == null ? ", finished" : ", " + failure().message() : ", running");
    }
}
