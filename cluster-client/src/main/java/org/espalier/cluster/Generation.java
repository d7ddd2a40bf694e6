package org.espalier.cluster;

import java.util.List;
import java.util.Optional;
import org.espalier.routing.RoutingTrace;
import org.espalier.score.Score;

/**
 * A finished generation.
 *
 * @param model the name of the model that generated
 * @param prompt what it continued
 * @param promptTokens ids of the prompt
 * @param tokens new ids only; the last one is the end-of-sequence token where {@code finish} is {@link Finish#EOS}
 * @param text of the new tokens, without special tokens and without the stop text; empty where the model has no tokenizer
 * @param promptLogits [V] of the last prompt position, where asked for
 * @param promptScore of the prompt's tokens but the first, where asked for and there are any
 * @param trace of prompt + new - 1 positions, where asked for and the model routes
 */
public record Generation(
        String model,
        Prompt prompt,
        List<Integer> promptTokens,
        List<Integer> tokens,
        String text,
        Finish finish,
        Optional<float[]> promptLogits,
        Optional<Score> promptScore,
        Optional<RoutingTrace> trace,
        Timing timing) {

    public Generation {
        promptTokens = List.copyOf(promptTokens);
        tokens = List.copyOf(tokens);
    }

    /** Why a generation ended. */
    public enum Finish {
        /** An end-of-sequence token. */
        EOS,
        /** The token limit of the request. */
        LENGTH,
        /** The end of the model's context, before the token limit. */
        CONTEXT,
        /** A stop text. */
        STOP
    }

    /**
     * @param firstTokenSeconds from the request's arrival at the head to the first token
     * @param prefillTokensPerSecond prompt tokens over that time
     * @param decodeTokensPerSecond tokens after the first over the time from the first to the last; 0 for fewer than two
     */
    public record Timing(double firstTokenSeconds, double prefillTokensPerSecond, double decodeTokensPerSecond) {}

    /** Prompt and answer in short, and how it ended. */
    @Override
    public String toString() {
        String answer = text.isEmpty() ? tokens.size() + " tokens" : InShort.of(text);
        return model + ", " + prompt + ": " + answer + " (" + tokens.size() + " tokens, ended by "
                + switch (finish) {
                    case EOS -> "the end of the answer";
                    case LENGTH -> "the token limit";
                    case CONTEXT -> "the end of the context";
                    case STOP -> "a stop text";
                }
                + ")";
    }
}
