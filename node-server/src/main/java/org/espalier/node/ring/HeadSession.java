package org.espalier.node.ring;

import io.grpc.stub.StreamObserver;
import java.util.Optional;
import org.espalier.v1.FinishReason;
import org.espalier.v1.Finished;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.Logits;
import org.espalier.v1.Progress;
import org.espalier.v1.Routing;
import org.espalier.v1.Sampled;
import org.espalier.v1.StepEntry;
import org.espalier.v1.Token;

/** A generation as the head knows it: how far it is, what it feeds next, when it ends. Owned by the scheduler's thread. */
final class HeadSession {

    final long id;
    final GenerateRequest request;
    final StreamObserver<GenerateReply> replies;
    private final int maxNew;
    private final TokenText text;
    private final StopStrings stops;
    private final long arrived = System.nanoTime();
    private long firstToken;
    private long lastToken;
    private int position;
    private int produced;
    private int feed;

    /** @param shard opens the tokenizer, only where stop strings are asked for */
    HeadSession(long id, GenerateRequest request, int maxNew, StageShard shard, StreamObserver<GenerateReply> replies) {
        this.id = id;
        this.request = request;
        this.maxNew = maxNew;
        this.text = request.getStopStringsCount() == 0 ? null : shard.text();
        this.stops = new StopStrings(request.getStopStringsList());
        this.replies = replies;
    }

    boolean decoding() {
        return position >= request.getPromptCount();
    }

    /** Rows that its next step could have. */
    int rowsWaiting() {
        return decoding() ? 1 : request.getPromptCount() - position;
    }

    /** The next rows as an entry of a step. */
    StepEntry entry(int rows) {
        StepEntry.Builder entry = StepEntry.newBuilder().setSession(id).setPosition(position);
        if (decoding()) {
            return entry.addTokens(feed).setSample(true).build();
        }
        boolean last = position + rows == request.getPromptCount();
        return entry.addAllTokens(request.getPromptList().subList(position, position + rows))
                .setSample(last && maxNew > 0)
                .setLogits(last && request.getPromptLogits())
                .build();
    }

    /** The step with this entry is computed. */
    void advance(StepEntry entry, Optional<Routing> routing) {
        position += entry.getTokensCount();
        routing.ifPresent(
                r -> replies.onNext(GenerateReply.newBuilder().setRouting(r).build()));
        if (position <= request.getPromptCount()) {
            replies.onNext(GenerateReply.newBuilder()
                    .setPrefill(Progress.newBuilder().setDone(position).setTotal(request.getPromptCount()))
                    .build());
        }
    }

    /** Passes a sampled token, and logits where asked for, to the client. Present: the generation is finished. */
    Optional<Finished> sampled(StepEntry entry, Sampled sampled) {
        if (entry.getLogits()) {
            replies.onNext(GenerateReply.newBuilder()
                    .setPromptLogits(Logits.newBuilder().setFloat32(sampled.getLogits()))
                    .build());
        }
        if (!entry.getSample()) {
            return Optional.of(finished(FinishReason.FINISH_REASON_LENGTH).build());
        }
        feed = sampled.getToken();
        lastToken = System.nanoTime();
        firstToken = produced++ == 0 ? lastToken : firstToken;
        replies.onNext(GenerateReply.newBuilder()
                .setToken(Token.newBuilder().setId(feed).setLogprob(sampled.getLogprob()))
                .build());
        if (request.getStopTokensList().contains(feed)) {
            return Optional.of(finished(FinishReason.FINISH_REASON_EOS).build());
        }
        Optional<String> stop = text == null ? Optional.empty() : stops.add(text.add(feed));
        if (stop.isPresent()) {
            return Optional.of(finished(FinishReason.FINISH_REASON_STOP)
                    .setStopString(stop.get())
                    .build());
        }
        return produced == maxNew
                ? Optional.of(finished(FinishReason.FINISH_REASON_LENGTH).build())
                : Optional.empty();
    }

    /** After a step that asks for nothing. Present: the prompt is computed and no token is wanted. */
    Optional<Finished> unanswered() {
        return maxNew == 0 && decoding()
                ? Optional.of(finished(FinishReason.FINISH_REASON_LENGTH).build())
                : Optional.empty();
    }

    private Finished.Builder finished(FinishReason reason) {
        return Finished.newBuilder()
                .setReason(reason)
                .setPromptTokens(request.getPromptCount())
                .setNewTokens(produced)
                .setFirstTokenMicros(produced == 0 ? 0 : (firstToken - arrived) / 1000)
                .setDecodeMicros((lastToken - firstToken) / 1000);
    }
}
