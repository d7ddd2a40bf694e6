package org.espalier.score;

import java.util.List;
import java.util.stream.IntStream;
import org.espalier.EspalierException;
import tech.tablesaw.api.DoubleColumn;
import tech.tablesaw.api.IntColumn;
import tech.tablesaw.api.StringColumn;
import tech.tablesaw.api.Table;

/**
 * How well a model predicted a text, in bits by token: the fewer, the better.
 *
 * @param scored all tokens of the sequence but the first, which nothing predicts; at least one
 */
public record Score(List<ScoredToken> scored) {

    /** @throws EspalierException if no token is scored */
    public Score {
        scored = List.copyOf(scored);
        if (scored.isEmpty()) {
            throw new EspalierException("no token is scored: a score needs at least one");
        }
    }

    /** Several scores as one over all their tokens, for instance of the windows of a long text. */
    public static Score of(List<Score> parts) {
        return new Score(parts.stream().flatMap(part -> part.scored.stream()).toList());
    }

    /** How many tokens are scored. */
    public int tokens() {
        return scored.size();
    }

    /** Bits a token, in the mean. */
    public double bits() {
        return mean().value();
    }

    /** Of {@link #bits}, over the tokens. */
    public double standardError() {
        return mean().standardError();
    }

    /** Bits of all tokens together. */
    public double sum() {
        return scored.stream().mapToDouble(ScoredToken::bits).sum();
    }

    public Mean mean() {
        return Mean.of(scored.stream().mapToDouble(ScoredToken::bits).toArray());
    }

    /** The score of some of the tokens. */
    public Score part(int fromToken, int toToken) {
        return new Score(scored.subList(fromToken, toToken));
    }

    /**
     * How many bits a token costs more here than in another score of the same tokens, for instance without some experts. Token by token,
     * so that the standard error is that of the difference, without what makes some tokens harder than others for both.
     *
     * @throws EspalierException if the other score is of other tokens
     */
    public Mean minus(Score other) {
        if (!ids().equals(other.ids())) {
            throw new EspalierException("the scores are of different tokens, " + tokens() + " and " + other.tokens()
                    + ": score the same text twice to compare");
        }
        return Mean.of(IntStream.range(0, tokens())
                .mapToDouble(i -> scored.get(i).bits() - other.scored.get(i).bits())
                .toArray());
    }

    private List<Integer> ids() {
        return scored.stream().map(ScoredToken::id).toList();
    }

    /** One row a token: position, token, text, bits. */
    public Table table() {
        IntColumn position = IntColumn.create("position");
        IntColumn token = IntColumn.create("token");
        StringColumn text = StringColumn.create("text");
        DoubleColumn bits = DoubleColumn.create("bits");
        for (ScoredToken one : scored) {
            position.append(one.position());
            token.append(one.id());
            text.append(one.text());
            bits.append(one.bits());
        }
        return Table.create("score", position, token, text, bits);
    }

    /** For instance {@code 4.93 ± 0.20 bits a token, 250 tokens}. */
    @Override
    public String toString() {
        return mean() + " bits a token, " + tokens() + (tokens() == 1 ? " token" : " tokens");
    }
}
