package org.espalier.cluster;

import java.util.List;

/**
 * How tokens are chosen, when a generation ends, and what comes back with it.
 *
 * @param maxTokens new tokens at most; fewer where the model's context ends
 * @param temperature 0: greedy
 * @param topK 0: all
 * @param topP 1: all
 * @param repetitionPenalty 1: none
 * @param stop texts that end the generation; not part of the answer
 * @param ignoreEos whether end-of-sequence tokens do not end it
 * @param routing whether the routing trace is returned; nothing comes back for a dense model
 * @param promptLogits whether the logits of the last prompt position are returned
 */
public record GenerateOptions(
        int maxTokens,
        float temperature,
        int topK,
        float topP,
        float repetitionPenalty,
        long seed,
        List<String> stop,
        boolean ignoreEos,
        boolean routing,
        boolean promptLogits) {

    private static final GenerateOptions DEFAULTS =
            new GenerateOptions(256, 0, 0, 1, 1, 0, List.of(), false, false, false);

    public GenerateOptions {
        stop = List.copyOf(stop);
        require(maxTokens >= 0, "maxTokens", maxTokens, "0 or more");
        require(temperature >= 0 && Float.isFinite(temperature), "temperature", temperature, "0 or more");
        require(topK >= 0, "topK", topK, "0 (all) or more");
        require(topP > 0 && topP <= 1, "topP", topP, "above 0 and at most 1");
        require(
                repetitionPenalty > 0 && Float.isFinite(repetitionPenalty),
                "repetitionPenalty",
                repetitionPenalty,
                "above 0");
        if (stop.contains("")) {
            throw new ClusterException("a stop text is empty: leave it out");
        }
    }

    private static void require(boolean valid, String name, Object found, String expected) {
        if (!valid) {
            throw new ClusterException(name + " is " + found + ": expected " + expected);
        }
    }

    /** Greedy, 256 tokens, nothing but tokens and text. */
    public static GenerateOptions defaults() {
        return DEFAULTS;
    }

    public GenerateOptions withMaxTokens(int count) {
        return new GenerateOptions(
                count, temperature, topK, topP, repetitionPenalty, seed, stop, ignoreEos, routing, promptLogits);
    }

    public GenerateOptions withTemperature(double value) {
        return new GenerateOptions(
                maxTokens, (float) value, topK, topP, repetitionPenalty, seed, stop, ignoreEos, routing, promptLogits);
    }

    public GenerateOptions withTopK(int count) {
        return new GenerateOptions(
                maxTokens, temperature, count, topP, repetitionPenalty, seed, stop, ignoreEos, routing, promptLogits);
    }

    public GenerateOptions withTopP(double mass) {
        return new GenerateOptions(
                maxTokens,
                temperature,
                topK,
                (float) mass,
                repetitionPenalty,
                seed,
                stop,
                ignoreEos,
                routing,
                promptLogits);
    }

    public GenerateOptions withRepetitionPenalty(double penalty) {
        return new GenerateOptions(
                maxTokens, temperature, topK, topP, (float) penalty, seed, stop, ignoreEos, routing, promptLogits);
    }

    public GenerateOptions withSeed(long value) {
        return new GenerateOptions(
                maxTokens, temperature, topK, topP, repetitionPenalty, value, stop, ignoreEos, routing, promptLogits);
    }

    public GenerateOptions withStop(List<String> texts) {
        return new GenerateOptions(
                maxTokens, temperature, topK, topP, repetitionPenalty, seed, texts, ignoreEos, routing, promptLogits);
    }

    /** Goes on past end-of-sequence tokens. */
    public GenerateOptions ignoringEos() {
        return new GenerateOptions(
                maxTokens, temperature, topK, topP, repetitionPenalty, seed, stop, true, routing, promptLogits);
    }

    /** Also returns which experts were chosen. */
    public GenerateOptions withRouting() {
        return new GenerateOptions(
                maxTokens, temperature, topK, topP, repetitionPenalty, seed, stop, ignoreEos, true, promptLogits);
    }

    /** Also returns the logits of the last prompt position. */
    public GenerateOptions withPromptLogits() {
        return new GenerateOptions(
                maxTokens, temperature, topK, topP, repetitionPenalty, seed, stop, ignoreEos, routing, true);
    }
}
