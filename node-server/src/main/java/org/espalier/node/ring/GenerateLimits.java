package org.espalier.node.ring;

import io.grpc.Status;
import org.espalier.EspalierException;
import org.espalier.v1.GenerateRequest;

/** What a request may ask of a model: checked at the head before a session is opened. */
final class GenerateLimits {

    private GenerateLimits() {}

    /**
     * New tokens that the request may have: what it asks for, or what the model's context leaves.
     *
     * @throws io.grpc.StatusRuntimeException if the prompt is empty, has ids outside of the vocabulary or does not fit
     */
    static int maxNew(GenerateRequest request, StageShard shard) {
        int prompt = request.getPromptCount();
        if (prompt == 0) {
            throw invalid("the prompt is empty: a generation needs at least one token");
        }
        for (int token : request.getPromptList()) {
            if (token < 0 || token >= shard.vocabulary()) {
                throw invalid("the prompt has token " + token + ", the model knows 0 to " + (shard.vocabulary() - 1));
            }
        }
        if (request.getMaxTokens() < 0) {
            throw invalid("at most " + request.getMaxTokens() + " new tokens are asked for: expected 0 or more");
        }
        try {
            TailSampler.options(request.getSampling());
        } catch (EspalierException e) {
            throw invalid("the request is wrong: " + e.getMessage());
        }
        int room = shard.context() - prompt;
        if (room < 0 || room == 0 && request.getMaxTokens() > 0) {
            throw invalid("the prompt has " + prompt + " tokens, the model's context holds " + shard.context()
                    + " with the answer: shorten the prompt");
        }
        return Math.min(request.getMaxTokens(), room);
    }

    private static RuntimeException invalid(String message) {
        return Status.INVALID_ARGUMENT.withDescription(message).asRuntimeException();
    }
}
