package org.espalier.cluster;

import java.util.List;
import java.util.function.Consumer;
import org.espalier.routing.LayerEdit;

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
 * @param edits interventions in the choice of experts, one for each layer concerned
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
        boolean promptLogits,
        List<LayerEdit> edits) {

    private static final GenerateOptions DEFAULTS =
            new GenerateOptions(256, 0, 0, 1, 1, 0, List.of(), false, false, false, List.of());

    public GenerateOptions {
        stop = List.copyOf(stop);
        edits = List.copyOf(edits);
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
        return with(draft -> draft.maxTokens = count);
    }

    public GenerateOptions withTemperature(double value) {
        return with(draft -> draft.temperature = (float) value);
    }

    public GenerateOptions withTopK(int count) {
        return with(draft -> draft.topK = count);
    }

    public GenerateOptions withTopP(double mass) {
        return with(draft -> draft.topP = (float) mass);
    }

    public GenerateOptions withRepetitionPenalty(double penalty) {
        return with(draft -> draft.repetitionPenalty = (float) penalty);
    }

    public GenerateOptions withSeed(long value) {
        return with(draft -> draft.seed = value);
    }

    public GenerateOptions withStop(List<String> texts) {
        return with(draft -> draft.stop = texts);
    }

    /** Goes on past end-of-sequence tokens. */
    public GenerateOptions ignoringEos() {
        return with(draft -> draft.ignoreEos = true);
    }

    /** Also returns which experts were chosen. */
    public GenerateOptions withRouting() {
        return with(draft -> draft.routing = true);
    }

    /** Also returns the logits of the last prompt position. */
    public GenerateOptions withPromptLogits() {
        return with(draft -> draft.promptLogits = true);
    }

    /** Intervenes in the choice of experts, for the prompt and the answer; in place of the edits before. */
    public GenerateOptions withEdits(List<LayerEdit> layers) {
        return with(draft -> draft.edits = layers);
    }

    private GenerateOptions with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return new GenerateOptions(
                draft.maxTokens,
                draft.temperature,
                draft.topK,
                draft.topP,
                draft.repetitionPenalty,
                draft.seed,
                draft.stop,
                draft.ignoreEos,
                draft.routing,
                draft.promptLogits,
                draft.edits);
    }

    /** The options while one of them is changed. */
    private static final class Draft {
        private int maxTokens;
        private float temperature;
        private int topK;
        private float topP;
        private float repetitionPenalty;
        private long seed;
        private List<String> stop;
        private boolean ignoreEos;
        private boolean routing;
        private boolean promptLogits;
        private List<LayerEdit> edits;

        Draft(GenerateOptions options) {
            maxTokens = options.maxTokens;
            temperature = options.temperature;
            topK = options.topK;
            topP = options.topP;
            repetitionPenalty = options.repetitionPenalty;
            seed = options.seed;
            stop = options.stop;
            ignoreEos = options.ignoreEos;
            routing = options.routing;
            promptLogits = options.promptLogits;
            edits = options.edits;
        }
    }
}
