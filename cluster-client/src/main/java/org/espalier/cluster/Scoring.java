package org.espalier.cluster;

import java.util.List;
import java.util.function.Function;
import org.espalier.routing.LayerEdit;
import org.espalier.score.Score;

/** A score is a generation of no tokens whose prompt is scored. */
final class Scoring {

    private Scoring() {}

    /** @throws ClusterException if the prompt has nothing to predict */
    static Score score(Prompt prompt, List<LayerEdit> edits, Function<GenerateOptions, RunningGeneration> start) {
        if (prompt instanceof Prompt.Text text && text.text().isEmpty()) {
            throw new ClusterException("the text is empty: there is nothing to score");
        }
        if (prompt instanceof Prompt.Tokens tokens && tokens.ids().size() < 2) {
            throw tooFew(tokens.ids().size());
        }
        GenerateOptions options =
                GenerateOptions.defaults().withMaxTokens(0).withPromptScore().withEdits(edits);
        Generation scored = start.apply(options).await();
        return scored.promptScore()
                .orElseThrow(() -> tooFew(scored.promptTokens().size()));
    }

    private static ClusterException tooFew(int tokens) {
        return new ClusterException("there is nothing to score: of " + tokens + (tokens == 1 ? " token" : " tokens")
                + " none has another one before it; give at least 2");
    }
}
