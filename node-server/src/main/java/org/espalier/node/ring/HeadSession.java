package org.espalier.node.ring;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.espalier.failure.Failure;
import org.espalier.v1.Alive;
import org.espalier.v1.FinishReason;
import org.espalier.v1.Finished;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.Logits;
import org.espalier.v1.Logprobs;
import org.espalier.v1.Progress;
import org.espalier.v1.Routing;
import org.espalier.v1.Sampled;
import org.espalier.v1.StepEntry;
import org.espalier.v1.StepOutcome;
import org.espalier.v1.Token;

/** A generation as the head knows it: how far it has come, what it feeds next, when it ends. Owned by the agent's thread. */
public final class HeadSession {

    /**
     * A truncation that was asked for.
     *
     * @param done completes when it is done, exceptionally if a node refuses
     */
    record Truncation(int length, CompletableFuture<Void> done) {}

    final long id;
    final GenerateRequest request;
    final Replies replies;
    /** The client's, which shares the ring with those of others. */
    final String connection;

    private final int vocabulary;
    private final LongSupplier nanos;
    private int maxNew;
    /** Why it ends after {@link #maxNew} tokens. */
    private FinishReason atLimit;

    private final TokenText text;
    private final StopStrings stops;
    private final long arrived;
    private long lastReply;
    private long firstToken;
    private long lastToken;
    /** Prompt and answer. */
    private final List<Integer> tokens;
    /** Rows that all nodes hold. */
    private int position;
    /** Rows that the client has been told of; rows that a truncation has computed again are not reported twice. */
    private int reported;

    private int produced;
    private Truncation truncation;
    private boolean opened;
    private boolean alone;
    private int overtaken;

    /**
     * Where a generation comes from.
     *
     * @param connection of its client
     * @param nanos the ring's clock
     */
    public record Origin(String connection, Replies replies, LongSupplier nanos) {}

    /**
     * @param shard opens the tokenizer, if there are stop strings: this may take long
     * @throws org.espalier.failure.FailureException if the request does not fit the model
     */
    public HeadSession(long id, GenerateRequest request, RingPlace place, StageShard shard, Origin origin) {
        this.id = id;
        this.request = request;
        this.maxNew = new GenerateLimits(place.self().getNode(), shard).maxNew(request);
        this.atLimit = maxNew < request.getMaxTokens()
                ? FinishReason.FINISH_REASON_CONTEXT
                : FinishReason.FINISH_REASON_LENGTH;
        this.tokens = new ArrayList<>(request.getPromptList());
        this.replies = origin.replies();
        this.connection = origin.connection();
        this.vocabulary = shard.vocabulary();
        this.nanos = origin.nanos();
        this.arrived = nanos.getAsLong();
        this.lastReply = arrived;
        this.text = request.getStopStringsCount() == 0 ? null : shard.text();
        this.stops = new StopStrings(request.getStopStringsList());
    }

    /** Its session's number. */
    public long id() {
        return id;
    }

    /** Ends its replies, once. */
    public void fail(Failure why) {
        replies.fail(why);
    }

    private void reply(GenerateReply.Builder reply) {
        lastReply = nanos.getAsLong();
        replies.next(reply.build());
    }

    /** Says that it is alive if nothing was said since {@code since}. */
    void keepAlive(long since, int before) {
        if (lastReply <= since) {
            reply(GenerateReply.newBuilder().setAlive(Alive.newBuilder().setWaitingBefore(before)));
        }
    }

    /** Whether its next step must have no other session. */
    /** How many others began before it since it could have, had there been memory. */
    int overtaken() {
        return overtaken;
    }

    void overtake() {
        overtaken++;
    }

    boolean isAlone() {
        return alone;
    }

    void setAlone(boolean wanted) {
        alone = wanted;
    }

    /** The most rows that it can ever have. */
    int maxLength() {
        return request.getPromptCount() + maxNew;
    }

    int position() {
        return position;
    }

    /** Whether only its newest token is waiting. */
    boolean decoding() {
        return position >= request.getPromptCount() && rowsWaiting() == 1;
    }

    /** Rows waiting to be computed. */
    int rowsWaiting() {
        return tokens.size() - position;
    }

    /** The truncation that was asked for, or null. */
    Truncation truncation() {
        return truncation;
    }

    void setTruncation(Truncation ordered) {
        truncation = ordered;
    }

    /** @param refusal empty if all nodes now hold only that many rows */
    void endTruncation(Optional<Failure> refusal) {
        Truncation ended = truncation;
        truncation = null;
        if (ended == null) {
            return;
        }
        if (refusal.isEmpty()) {
            position = ended.length;
            ended.done.complete(null);
        } else {
            ended.done.completeExceptionally(refusal.get().exception());
        }
    }

    /**
     * Makes this session a copy of the first rows of another one.
     *
     * @throws IllegalArgumentException saying why it cannot be one
     */
    void copy(HeadSession from, int length) {
        if (length < 0 || length > from.position) {
            throw new IllegalArgumentException("session " + from.id + " has " + from.position + " rows, but a fork of "
                    + length + " was asked for");
        }
        if (length >= tokens.size() || !tokens.subList(0, length).equals(from.tokens.subList(0, length))) {
            throw new IllegalArgumentException(
                    "the prompt of a fork must begin with the " + length + " tokens that it takes over, and continue");
        }
        if (!request.getEditsList().equals(from.request.getEditsList())) {
            throw new IllegalArgumentException(
                    "a fork must have the router edits of the session that it is taken from");
        }
        if (request.getSnapshotsList().stream().anyMatch(at -> at <= length)) {
            throw new IllegalArgumentException(
                    "a fork has no snapshots of the " + length + " rows that it takes over: ask for greater lengths");
        }
        int room = from.maxLength() - tokens.size();
        if (room < 0 || room == 0 && maxNew > 0) {
            throw new IllegalArgumentException("session " + from.id + " holds " + from.maxLength()
                    + " rows, answer included, but the fork's prompt alone has " + tokens.size());
        }
        if (room < maxNew) {
            maxNew = room;
            atLimit = from.atLimit;
        }
        position = length;
        reported = length;
    }

    /** Whether the nodes know it. */
    boolean opened() {
        return opened;
    }

    void setOpened() {
        opened = true;
    }

    /** Whether its next rows predict tokens of the prompt whose log-probabilities were asked for. */
    boolean scoring() {
        return request.getPromptLogprobs() && position < request.getPromptCount() - 1;
    }

    /** How many of its next rows a step may have, of which a snapshot is taken after the last or none. */
    int nextRows(int room) {
        int most = Math.min(room, rowsWaiting());
        return request.getSnapshotsList().stream()
                .filter(length -> length > position)
                .findFirst()
                .map(length -> Math.min(most, length - position))
                .orElse(most);
    }

    /** The next rows as an entry of a step. */
    StepEntry entry(int rows) {
        StepEntry.Builder entry = StepEntry.newBuilder().setSession(id).setPosition(position);
        int end = position + rows;
        boolean last = end == tokens.size();
        if (scoring()) {
            entry.addAllTargets(tokens.subList(position + 1, Math.min(end + 1, request.getPromptCount())));
        }
        return entry.addAllTokens(tokens.subList(position, end))
                .setSnapshot(request.getSnapshotsList().contains(end))
                .setSample(last && maxNew > 0)
                .setLogits(last && produced == 0 && request.getPromptLogits())
                .build();
    }

    /** How many of an entry's first rows are computed again after a truncation: the client has their routing already. */
    int repeated(StepEntry entry) {
        return Math.min(Math.max(reported - entry.getPosition(), 0), entry.getTokensCount());
    }

    /** The step with this entry is computed. */
    void advance(StepEntry entry, Optional<Routing> routing) {
        position += entry.getTokensCount();
        boolean news = position > reported;
        reported = Math.max(reported, position);
        routing.ifPresent(r -> reply(GenerateReply.newBuilder().setRouting(r)));
        if (news && position <= request.getPromptCount()) {
            reply(GenerateReply.newBuilder()
                    .setPrefill(Progress.newBuilder().setDone(position).setTotal(request.getPromptCount())));
        }
    }

    /**
     * Passes the log-probabilities of an entry's targets to the client.
     *
     * @param repeated how many of its first rows the client has been told of before
     */
    void scored(StepEntry entry, int repeated, Sampled sampled) {
        if (repeated < entry.getTargetsCount()) {
            reply(GenerateReply.newBuilder()
                    .setPromptLogprobs(Logprobs.newBuilder()
                            .setPosition(entry.getPosition() + repeated + 1)
                            .addAllValues(sampled.getLogprobsList().subList(repeated, entry.getTargetsCount()))));
        }
    }

    /** The decisions for an entry's rows that its client has not been told of; empty if it does not want them. */
    Optional<Routing> routing(StepOutcome outcome, StepEntry entry, int row) {
        int repeated = repeated(entry);
        int rows = entry.getTokensCount() - repeated;
        return request.getRouting() && outcome.getRoutesCount() > 0 && rows > 0
                ? Optional.of(RoutingFrames.slice(
                        outcome.getRoutesList(), row + repeated, rows, entry.getPosition() + repeated))
                : Optional.empty();
    }

    /** @throws IllegalArgumentException if log-probabilities are missing, or the token is none of the model's */
    void check(StepEntry entry, Optional<Sampled> sampled) {
        int scores = sampled.map(Sampled::getLogprobsCount).orElse(0);
        if (scores != entry.getTargetsCount()) {
            throw new IllegalArgumentException("received " + scores + " log-probabilities for "
                    + entry.getTargetsCount() + " tokens of session " + id);
        }
        int token = sampled.map(Sampled::getToken).orElse(0);
        if (token < 0 || token >= vocabulary) {
            throw new IllegalArgumentException(
                    "token " + token + " of session " + id + " is none of the vocabulary's " + vocabulary);
        }
    }

    /** Passes a sampled token, and logits where asked for, to the client. Present if that finishes the generation. */
    Optional<Finished> sampled(StepEntry entry, Sampled sampled) {
        if (entry.getLogits()) {
            reply(GenerateReply.newBuilder().setPromptLogits(Logits.newBuilder().setFloat32(sampled.getLogits())));
        }
        if (!entry.getSample()) {
            return Optional.of(finished(FinishReason.FINISH_REASON_LENGTH).build());
        }
        int token = sampled.getToken();
        tokens.add(token);
        lastToken = nanos.getAsLong();
        firstToken = produced++ == 0 ? lastToken : firstToken;
        reply(GenerateReply.newBuilder()
                .setToken(Token.newBuilder().setId(token).setLogprob(sampled.getLogprob())));
        if (request.getStopTokensList().contains(token)) {
            return Optional.of(finished(FinishReason.FINISH_REASON_EOS).build());
        }
        Optional<String> stop = text == null ? Optional.empty() : stops.add(text.add(token));
        if (stop.isPresent()) {
            return Optional.of(finished(FinishReason.FINISH_REASON_STOP)
                    .setStopString(stop.get())
                    .build());
        }
        return produced == maxNew ? Optional.of(finished(atLimit).build()) : Optional.empty();
    }

    /** After a step without a sample or logits. Present if the prompt is computed and no token is wanted. */
    Optional<Finished> unanswered() {
        return maxNew == 0 && position == request.getPromptCount()
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
