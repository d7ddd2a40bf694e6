package org.espalier.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.espalier.score.Score;
import org.espalier.score.ScoredToken;
import org.espalier.v1.Logprobs;

/** Assembles the log-probabilities of a prompt's tokens, which come chunk by chunk, into a score. */
final class PromptScore {

    private final List<Integer> prompt;
    private final List<Double> logprobs = new ArrayList<>(); // from the second token on

    PromptScore(List<Integer> prompt) {
        this.prompt = prompt;
    }

    /** @throws ClusterException if these are not the next tokens' */
    void add(Logprobs next) {
        logprobs.addAll(next.getValuesList());
        if (next.getPosition() != logprobs.size() - next.getValuesCount() + 1 || logprobs.size() >= prompt.size()) {
            throw new ClusterException("the nodes sent log-probabilities of " + next.getValuesCount()
                    + " tokens from position " + next.getPosition() + " of a prompt of " + prompt.size()
                    + ": expected the next ones, once each");
        }
    }

    /**
     * @param text a new stream, which turns the prompt into text
     * @return empty for a prompt of one token
     * @throws ClusterException if some are missing
     */
    Optional<Score> score(Optional<ClientModel.TextStream> text) {
        if (logprobs.size() != prompt.size() - 1) {
            throw new ClusterException("the nodes sent log-probabilities of " + logprobs.size() + " of "
                    + (prompt.size() - 1) + " tokens: are they older than this client? Update them");
        }
        List<ScoredToken> scored = new ArrayList<>();
        for (int position = 0; position < prompt.size(); position++) {
            int token = prompt.get(position);
            String piece = text.map(stream -> stream.add(token)).orElse("");
            if (position > 0) {
                scored.add(new ScoredToken(position, token, piece, 0 - logprobs.get(position - 1) / Math.log(2)));
            }
        }
        return scored.isEmpty() ? Optional.empty() : Optional.of(new Score(scored));
    }
}
