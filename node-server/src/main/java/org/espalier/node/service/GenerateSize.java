package org.espalier.node.service;

import org.espalier.failure.FailureException;
import org.espalier.v1.GenerateRequest;

/**
 * How large a generation's request may be, whatever its model.
 *
 * @param node for refusals
 */
record GenerateSize(String node, Limits limits) {

    /** @throws FailureException naming the limit that it is beyond */
    void check(GenerateRequest request) {
        limits.check(Limit.PROMPT_TOKENS, request.getPromptCount(), node, "the prompt has");
        limits.check(Limit.STOP_TOKENS, request.getStopTokensCount(), node, "the request has");
        limits.check(Limit.STOP_STRINGS, request.getStopStringsCount(), node, "the request has");
        int characters =
                request.getStopStringsList().stream().mapToInt(String::length).sum();
        limits.check(Limit.STOP_CHARACTERS, characters, node, "the request has");
    }
}
