package org.espalier.node.ring;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.espalier.EspalierException;
import org.espalier.engine.RouterEdits;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.program.Cache;
import org.espalier.sampling.SamplingMessage;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.LayerEdit;

/**
 * Checks what a request asks of a model, at the head, before a session is opened.
 *
 * @param node the head, for refusals
 */
record GenerateLimits(String node, StageShard shard) {

    /** Characters of a client's name, which is kept as long as its generation. */
    private static final int LONGEST_NAME = 256;

    /**
     * The most new tokens of the request: what it asks for, or what the model's context leaves.
     *
     * @throws org.espalier.failure.FailureException if the prompt is empty, has ids outside the vocabulary or does not fit, or a router
     *     edit names layers or experts that the model does not have
     */
    int maxNew(GenerateRequest request) {
        int prompt = request.getPromptCount();
        if (request.getClient().length() > LONGEST_NAME) {
            throw invalid("the client's name has " + request.getClient().length() + " characters, " + LONGEST_NAME
                    + " are the most");
        }
        if (prompt == 0) {
            throw invalid("the prompt is empty: a generation needs at least one token");
        }
        for (int token : request.getPromptList()) {
            if (token < 0 || token >= shard.vocabulary()) {
                throw invalid(
                        "the prompt has token " + token + ", but the vocabulary is 0 to " + (shard.vocabulary() - 1));
            }
        }
        if (request.getMaxTokens() < 0) {
            throw invalid("max_tokens is " + request.getMaxTokens() + ": expected 0 or more");
        }
        snapshots(request.getSnapshotsList());
        try {
            SamplingMessage.read(request.getSampling());
        } catch (EspalierException e) {
            throw invalid("the request is wrong: " + e.getMessage());
        }
        try {
            EditLimits.check(edits(request.getEditsList()), shard.moe());
        } catch (EspalierException e) {
            throw invalid(e.getMessage());
        }
        int room = shard.context() - prompt;
        if (room < 0 || room == 0 && request.getMaxTokens() > 0) {
            throw invalid("the prompt has " + prompt + " tokens, but the model's context holds " + shard.context()
                    + ", answer included: shorten the prompt");
        }
        return Math.min(request.getMaxTokens(), room);
    }

    private static RouterEdits edits(List<LayerEdit> edits) {
        Set<Integer> seen = new HashSet<>();
        for (LayerEdit edit : edits) {
            if (!seen.add(edit.getLayer())) {
                throw new EspalierException(
                        "the router edit of layer " + edit.getLayer() + " is a duplicate: merge the two");
            }
        }
        return SessionEdits.of(edits);
    }

    private FailureException invalid(String message) {
        return new Failure(node, Failure.Kind.INVALID, message).exception();
    }

    private void snapshots(List<Integer> lengths) {
        boolean ascend =
                IntStream.range(0, lengths.size()).allMatch(i -> lengths.get(i) > (i == 0 ? 0 : lengths.get(i - 1)));
        if (!ascend || lengths.size() > Cache.State.SNAPSHOTS) {
            throw invalid("snapshots are asked for at "
                    + lengths.subList(0, Math.min(lengths.size(), Cache.State.SNAPSHOTS + 1)) + ": expected at most "
                    + Cache.State.SNAPSHOTS + " ascending lengths");
        }
    }
}
