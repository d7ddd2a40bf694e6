package org.espalier.node.score;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.espalier.EspalierException;
import org.espalier.config.RoutedExperts;
import org.espalier.engine.Cancel;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Routing;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.node.ring.EditLimits;
import org.espalier.node.sampling.Logprob;
import org.espalier.node.shard.Shard;

/** Scores rows of tokens with a whole model in this process. */
public final class Scorer {
    private static final long SESSION = 1;
    private static final int CHUNK = 64; // rows of logits at a time: 64 x V floats, 32 MB for V = 128k

    private final LoadedProgram program;
    private final int vocabulary;
    private final int experts;
    private final RouterEdits edits;

    /** @param shard all layers of a model; the caller still closes it */
    public Scorer(Shard shard) {
        this(shard, RouterEdits.NONE);
    }

    /**
     * @param shard all layers of a model; the caller still closes it
     * @param edits of every row that is scored
     * @throws EspalierException if they name layers or experts that the model does not have
     */
    public Scorer(Shard shard, RouterEdits edits) {
        EditLimits.check(edits, shard.model().architecture().moe());
        this.edits = edits;
        this.program = shard.program();
        this.vocabulary = shard.model().architecture().vocabulary();
        this.experts =
                shard.model().architecture().moe().map(RoutedExperts::count).orElse(0);
    }

    /** @throws EspalierException if the row has fewer than two tokens, or one outside the vocabulary */
    public Score score(int[] row) {
        check(row);
        double nats = 0;
        int[] layers = {};
        long[][] load = {};
        int inputs = row.length - 1; // the last token is predicted but predicts nothing
        program.open(SESSION, inputs, edits);
        try {
            for (int first = 0; first < inputs; first += CHUNK) {
                int end = Math.min(first + CHUNK, inputs);
                int[] tokens = Arrays.copyOfRange(row, first, end);
                Step.Entry entry = Step.Entry.ofTokens(SESSION, first, tokens, Step.Logits.ALL);
                StepResult result = program.run(
                        new Step(List.of(entry), null, Set.of(Step.Want.ROUTING)), Exchange.ALONE, new Cancel());
                for (int i = 0; i < tokens.length; i++) {
                    nats -= Logprob.of(result.logits()[i], row[first + i + 1]);
                }
                if (first == 0) {
                    layers = result.routing().layers();
                    load = new long[layers.length][experts];
                }
                count(result.routing(), load);
            }
        } finally {
            program.close(SESSION);
        }
        return new Score(inputs, nats, layers, load);
    }

    private void check(int[] row) {
        if (row.length < 2) {
            throw new EspalierException("a row of " + row.length + " tokens has nothing to predict: give at least 2");
        }
        for (int token : row) {
            if (token < 0 || token >= vocabulary) {
                throw new EspalierException("token " + token + " is not in the vocabulary of " + vocabulary
                        + ": was the text encoded by another tokenizer?");
            }
        }
    }

    private static void count(Routing routing, long[][] load) {
        int perLayer = routing.rows() * routing.width();
        for (int i = 0; i < routing.experts().length; i++) {
            if (routing.experts()[i] >= 0) {
                load[i / perLayer][routing.experts()[i]]++;
            }
        }
    }
}
