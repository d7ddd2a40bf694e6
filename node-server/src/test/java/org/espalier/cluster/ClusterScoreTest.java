package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.espalier.node.service.FakeLoader;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.espalier.routing.LayerEdit;
import org.espalier.score.Score;
import org.espalier.score.ScoredToken;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a user of {@code cluster.score} sees; the fake tokenizer has no begin-of-sequence token. */
class ClusterScoreTest {

    private NodeServer node;
    private Cluster cluster;

    @BeforeEach
    void load() {
        node = NodeServer.start(NodeOptions.loopback("n0"), new FakeLoader());
        cluster = Cluster.of(List.of(node.address()), new FakeModels());
        cluster.load("m", LoadOptions.defaults());
    }

    @AfterEach
    void close() {
        cluster.close();
        node.close();
    }

    @Test
    void aTextAndItsTokensScoreAlike() {
        Score score = cluster.score("HELLO");
        assertThat(score.scored()).extracting(ScoredToken::position).containsExactly(1, 2, 3, 4);
        assertThat(score.scored()).extracting(ScoredToken::id).containsExactly(4, 11, 11, 14);
        assertThat(score.scored()).extracting(ScoredToken::text).containsExactly("E", "L", "L", "O");
        assertThat(score.scored()).allSatisfy(token -> assertThat(token.bits()).isPositive());
        assertThat(cluster.score(new int[] {7, 4, 11, 11, 14})).isEqualTo(score);
        assertThat(cluster.score("HELLO", LayerEdit.of(1).banning(3), LayerEdit.of(2)))
                .isEqualTo(score); // the fake model computes the same without any expert
        assertThat(cluster.score("HELLO", List.of(LayerEdit.of(1)))).isEqualTo(score);
        assertThat(score.minus(score).value()).isZero();
    }

    @Test
    void aScoreIsNoGeneration() {
        Generation generation = cluster.generate(
                Prompt.text("HI"), GenerateOptions.defaults().withMaxTokens(2).withRouting());
        cluster.score("HELLO");
        assertThat(cluster.lastGeneration()).contains(generation);
        assertThat(cluster.trace()).isEqualTo(generation.trace());
    }

    @Test
    void aGenerationMayScoreItsPromptToo() {
        Generation generation = cluster.generate(
                Prompt.text("HELLO"),
                GenerateOptions.defaults().withMaxTokens(3).withPromptScore());
        assertThat(generation.tokens()).hasSize(3);
        assertThat(generation.promptScore()).contains(cluster.score("HELLO"));
        Generation single = cluster.generate(
                Prompt.text("H"), GenerateOptions.defaults().withMaxTokens(3).withPromptScore());
        assertThat(single.promptScore()).isEmpty();
        assertThat(cluster.generate(
                                Prompt.text("HELLO"), GenerateOptions.defaults().withMaxTokens(1))
                        .promptScore())
                .isEmpty();
    }

    @Test
    void whatCannotBeScoredIsRefused() {
        refused("the text is empty: there is nothing to score", "");
        refused("there is nothing to score: of 1 token none has another one before it; give at least 2", "H");
        assertThatThrownBy(() -> cluster.score(new int[0])).hasMessageContaining("of 0 tokens none");
        assertThatThrownBy(() -> cluster.score(new int[] {3})).hasMessageContaining("of 1 token none");
        assertThatThrownBy(() -> cluster.score(new int[] {3, 61}))
                .hasMessageContaining("the prompt has token 61, but the vocabulary is 0 to 60");
        refused("the prompt has 2001 tokens, but the model's context holds 2000", "A".repeat(2001));
        assertThatThrownBy(() -> cluster.score("HELLO", LayerEdit.of(0).banning(1)))
                .hasMessageContaining("the router edit of layer 0: the layers with experts are [1, 2]");
        cluster.unload();
        refused("no model is loaded; load a model first", "HELLO");
    }

    private void refused(String message, String text) {
        assertThatThrownBy(() -> cluster.score(text)).hasMessageContaining(message);
    }
}
