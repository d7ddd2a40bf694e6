package org.espalier.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class ScoreTest {

    private static final Score SCORE = score(2, 4, 9);

    private static Score score(double... bits) {
        return new Score(List.of(
                new ScoredToken(1, 7, "one", bits[0]),
                new ScoredToken(2, 8, "", bits[1]),
                new ScoredToken(3, 9, "ü", bits[2])));
    }

    @Test
    void isTheMeanOfItsTokensAndItsStandardError() {
        assertThat(SCORE.tokens()).isEqualTo(3);
        assertThat(SCORE.bits()).isEqualTo(5);
        assertThat(SCORE.sum()).isEqualTo(15);
        // deviations -3, -1, 4: variance 26 / 2
        assertThat(SCORE.standardError()).isCloseTo(Math.sqrt(13 / 3.0), within(1e-12));
        assertThat(SCORE).hasToString("5.00 ± 2.08 bits a token, 3 tokens");
        assertThat(SCORE.part(0, 1)).hasToString("2.00 ± NaN bits a token, 1 token");
    }

    @Test
    void differencesArePairedTokenByToken() {
        Mean more = score(3, 6, 10).minus(SCORE);
        assertThat(more.value()).isCloseTo(4 / 3.0, within(1e-12));
        assertThat(more.standardError()).isCloseTo(1 / 3.0, within(1e-12)); // of 1, 2, 1
        assertThat(more).hasToString("1.33 ± 0.33");
        assertThatThrownBy(() -> SCORE.part(0, 2).minus(SCORE))
                .hasMessage("the scores are of different tokens, 2 and 3: score the same text twice to compare");
    }

    @Test
    void partsTogetherAreTheWhole() {
        assertThat(Score.of(List.of(SCORE.part(0, 1), SCORE.part(1, 3)))).isEqualTo(SCORE);
        assertThatThrownBy(() -> Score.of(List.of())).hasMessageContaining("no token is scored");
    }

    @Test
    void aTableHasARowForEachToken() {
        assertThat(SCORE.table().print().lines().map(String::strip))
                .containsSubsequence("position  |  token  |  text  |  bits  |", "1  |      7  |   one  |     2  |");
        assertThat(SCORE.table().stringColumn("text").asList()).containsExactly("one", "", "ü");
    }
}
