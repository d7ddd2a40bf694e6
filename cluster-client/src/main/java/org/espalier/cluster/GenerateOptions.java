package org.espalier.cluster;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.espalier.routing.LayerEdit;
import org.espalier.sampling.Sampling;
import org.espalier.sampling.SamplingOption;

/**
 * How tokens are chosen, when a generation ends, and what comes back with it.
 *
 * @param maxTokens the most new tokens; fewer if the model's context ends before
 * @param stop texts that end the generation; not part of the answer
 * @param requests what is done only on request
 * @param edits interventions in the choice of experts, one for each layer concerned
 */
public record GenerateOptions(
        int maxTokens, Sampling sampling, List<String> stop, Set<Request> requests, List<LayerEdit> edits) {

    private static final GenerateOptions DEFAULTS =
            new GenerateOptions(256, Sampling.GREEDY, List.of(), Set.of(), List.of());

    /** What a generation does only on request. */
    public enum Request {
        /** End-of-sequence tokens do not end it. */
        IGNORE_EOS,
        /** The routing trace is returned; nothing comes back for a dense model. */
        ROUTING,
        /** The logits of the last prompt position are returned. */
        PROMPT_LOGITS,
        /** How well the model predicted each token of the prompt is returned. */
        PROMPT_SCORE
    }

    /** @throws ClusterException naming an option that is out of range */
    public GenerateOptions {
        stop = List.copyOf(stop);
        requests = Set.copyOf(requests);
        edits = List.copyOf(edits);
        if (maxTokens < 0) {
            throw new ClusterException("maxTokens is " + maxTokens + ": expected 0 or more");
        }
        if (stop.contains("")) {
            throw new ClusterException("a stop text is empty: leave it out");
        }
    }

    /** Greedy, 256 tokens, nothing but tokens and text. */
    public static GenerateOptions defaults() {
        return DEFAULTS;
    }

    public boolean ignoreEos() {
        return requests.contains(Request.IGNORE_EOS);
    }

    public boolean routing() {
        return requests.contains(Request.ROUTING);
    }

    public boolean promptLogits() {
        return requests.contains(Request.PROMPT_LOGITS);
    }

    public boolean promptScore() {
        return requests.contains(Request.PROMPT_SCORE);
    }

    public GenerateOptions withMaxTokens(int count) {
        return new GenerateOptions(count, sampling, stop, requests, edits);
    }

    public GenerateOptions withSampling(Sampling choice) {
        return new GenerateOptions(maxTokens, choice, stop, requests, edits);
    }

    /** @throws org.espalier.EspalierException naming the option if the value is out of its range */
    public GenerateOptions with(SamplingOption option, Number value) {
        return withSampling(sampling.with(option, value));
    }

    public GenerateOptions withTemperature(double value) {
        return with(SamplingOption.TEMPERATURE, value);
    }

    public GenerateOptions withTopK(int count) {
        return with(SamplingOption.TOP_K, count);
    }

    public GenerateOptions withTopP(double mass) {
        return with(SamplingOption.TOP_P, mass);
    }

    public GenerateOptions withRepetitionPenalty(double penalty) {
        return with(SamplingOption.REPETITION_PENALTY, penalty);
    }

    public GenerateOptions withSeed(long value) {
        return with(SamplingOption.SEED, value);
    }

    public GenerateOptions withStop(List<String> texts) {
        return new GenerateOptions(maxTokens, sampling, texts, requests, edits);
    }

    public GenerateOptions withStop(String... texts) {
        return withStop(List.of(texts));
    }

    /** Continues past end-of-sequence tokens. */
    public GenerateOptions ignoringEos() {
        return requesting(Request.IGNORE_EOS);
    }

    /** Also returns which experts were chosen. */
    public GenerateOptions withRouting() {
        return requesting(Request.ROUTING);
    }

    /** Also returns the logits of the last prompt position. */
    public GenerateOptions withPromptLogits() {
        return requesting(Request.PROMPT_LOGITS);
    }

    /** Also returns how well the model predicted each token of the prompt. */
    public GenerateOptions withPromptScore() {
        return requesting(Request.PROMPT_SCORE);
    }

    private GenerateOptions requesting(Request request) {
        Set<Request> all = EnumSet.of(request);
        all.addAll(requests);
        return new GenerateOptions(maxTokens, sampling, stop, all, edits);
    }

    /** Intervenes in the choice of experts, for prompt and answer; replaces earlier edits. */
    public GenerateOptions withEdits(List<LayerEdit> layers) {
        return new GenerateOptions(maxTokens, sampling, stop, requests, layers);
    }

    /** As {@link #withEdits(List)}. */
    public GenerateOptions withEdits(LayerEdit... layers) {
        return withEdits(List.of(layers));
    }
}
