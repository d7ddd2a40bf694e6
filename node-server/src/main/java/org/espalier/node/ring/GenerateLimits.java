package org.espalier.node.ring;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.espalier.EspalierException;
import org.espalier.config.RoutedExperts;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.sampling.SamplingMessage;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.LayerEdit;

/**
 * Checks what a request asks of a model, at the head, before a session is opened.
 *
 * @param node the head, for refusals
 */
record GenerateLimits(String node, StageShard shard) {

    /**
     * The most new tokens of the request: what it asks for, or what the model's context leaves.
     *
     * @throws org.espalier.failure.FailureException if the prompt is empty, has ids outside the vocabulary or does not fit, or a router
     *     edit names layers or experts that the model does not have
     */
    int maxNew(GenerateRequest request) {
        int prompt = request.getPromptCount();
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
        try {
            SamplingMessage.read(request.getSampling());
        } catch (EspalierException e) {
            throw invalid("the request is wrong: " + e.getMessage());
        }
        checkEdits(request.getEditsList(), shard.moe());
        int room = shard.context() - prompt;
        if (room < 0 || room == 0 && request.getMaxTokens() > 0) {
            throw invalid("the prompt has " + prompt + " tokens, but the model's context holds " + shard.context()
                    + ", answer included: shorten the prompt");
        }
        return Math.min(request.getMaxTokens(), room);
    }

    private void checkEdits(List<LayerEdit> edits, Optional<RoutedExperts> experts) {
        if (edits.isEmpty()) {
            return;
        }
        RoutedExperts moe =
                experts.orElseThrow(() -> invalid("a router edit was asked for, but the model has no experts"));
        Set<Integer> seen = new HashSet<>();
        for (LayerEdit edit : edits) {
            String name = "the router edit of layer " + edit.getLayer();
            if (!moe.layers().contains(edit.getLayer())) {
                throw invalid(name + ": the layers with experts are " + moe.layers());
            }
            if (!seen.add(edit.getLayer())) {
                throw invalid(name + " is a duplicate: merge the two");
            }
            Stream.concat(edit.getBanList().stream(), edit.getForceList().stream())
                    .filter(expert -> expert < 0 || expert >= moe.count())
                    .findFirst()
                    .ifPresent(expert -> {
                        throw invalid(
                                name + " names expert " + expert + ", but the layer has 0 to " + (moe.count() - 1));
                    });
            int kept = edit.getTopK() == 0 ? moe.perToken() : edit.getTopK();
            if (kept < 0 || kept > moe.count()) {
                throw invalid(name + " keeps " + kept + " experts, but the layer has " + moe.count());
            }
            if (edit.getForceCount() > kept) {
                throw invalid(name + " forces " + edit.getForceCount() + " experts, but a token gets " + kept
                        + ": force fewer, or keep more");
            }
            if (edit.getForceList().stream().anyMatch(edit.getBanList()::contains)) {
                throw invalid(name + " bans and forces the same expert");
            }
            if (!Float.isFinite(edit.getScale())) {
                throw invalid(name + " scales by " + edit.getScale() + ": expected a finite number");
            }
        }
    }

    private FailureException invalid(String message) {
        return new Failure(node, Failure.Kind.INVALID, message).exception();
    }
}
