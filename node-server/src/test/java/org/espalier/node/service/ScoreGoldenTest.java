package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.LoadOptions;
import org.espalier.engine.Cancel;
import org.espalier.engine.Exchange;
import org.espalier.engine.Precision;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
import org.espalier.node.score.Scorer;
import org.espalier.node.shard.Engines;
import org.espalier.node.shard.Shard;
import org.espalier.routing.LayerEdit;
import org.espalier.score.Score;
import org.espalier.score.ScoredToken;
import org.espalier.slice.LayerRange;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Scores of tiny real models, the whole way from client to nodes and back, against the softmax of all logits of the reference engine. */
class ScoreGoldenTest {

    private static final Path MODELS = Path.of("..", "models", "src", "test", "resources", "models");

    @ParameterizedTest
    @ValueSource(strings = {"deepseek_v3-tiny/hf", "deepseek_v3-tiny/mlx4", "llama_gguf-tiny/gguf/model.gguf"})
    void everyNumberOfNodesSaysWhatTheLogitsSay(String name) {
        Path path = MODELS.resolve(name);
        int[] tokens = new Random(3).ints(150, 0, 250).toArray(); // three chunks
        double[] expected = surprise(path, tokens, RouterEdits.NONE);
        List<List<Score>> scores = new ArrayList<>();
        for (int count = 1; count <= 3; count++) {
            scores.add(scores(path, tokens, count));
        }
        Score whole = scores.get(0).get(0);
        assertThat(whole.scored())
                .extracting(ScoredToken::id)
                .containsExactlyElementsOf(IntStream.of(tokens).skip(1).boxed().toList());
        for (int i = 0; i < expected.length; i++) {
            assertThat(whole.scored().get(i).bits()).as("token " + i).isCloseTo(expected[i], within(1e-5));
        }
        assertThat(scores.get(1)).isEqualTo(scores.get(0)); // bit for bit
        assertThat(scores.get(2)).isEqualTo(scores.get(0));
        if (name.startsWith("deepseek")) {
            var edits = new RouterEdits(
                    Map.of(2, new RouterEdits.LayerEdit(Set.of(0, 1, 2, 3), List.of(), OptionalInt.empty(), 1)));
            double[] edited = surprise(path, tokens, edits);
            Score banned = scores.get(0).get(1);
            for (int i = 0; i < edited.length; i++) {
                assertThat(banned.scored().get(i).bits()).as("token " + i).isCloseTo(edited[i], within(1e-5));
            }
            assertThat(banned.minus(whole).standardError()).isPositive();
        }
    }

    /** The whole, and without some experts where there are any. */
    private static List<Score> scores(Path path, int[] tokens, int count) {
        List<NodeServer> nodes = IntStream.range(0, count)
                .mapToObj(i -> NodeServer.start(NodeOptions.loopback("n" + i)))
                .toList();
        try (Cluster cluster =
                Cluster.of(nodes.stream().map(NodeServer::address).toList())) {
            cluster.load(
                    path.toString(),
                    LoadOptions.defaults().withEngine("reference").withPrecision("float32"));
            List<Score> scores = new ArrayList<>(List.of(cluster.score(tokens)));
            if (cluster.model().orElseThrow().architecture().moe().isPresent()) {
                scores.add(cluster.score(tokens, LayerEdit.of(2).banning(0, 1, 2, 3)));
            }
            return scores;
        } finally {
            nodes.forEach(NodeServer::close);
        }
    }

    /** Bits of each token but the first: all logits of the prompt in one step of the engine, their softmax worked out plainly. */
    private static double[] surprise(Path path, int[] tokens, RouterEdits edits) {
        Model model = ModelCatalogue.ofThisMachine().open(path.toString());
        LayerRange all = LayerRange.whole(model.architecture().layers());
        try (Engines engines = new Engines("");
                Shard shard = Shard.load(model, all, engines, Shard.Request.of("reference", Precision.FLOAT32))) {
            shard.program().open(1, tokens.length, edits);
            float[][] logits = shard.program()
                    .run(Step.of(Step.Entry.ofTokens(1, 0, tokens, Step.Logits.ALL)), Exchange.ALONE, new Cancel())
                    .logits();
            shard.program().close(1);
            double[] bits = new double[tokens.length - 1];
            double nats = 0;
            for (int i = 0; i < bits.length; i++) {
                double sum = 0;
                for (float logit : logits[i]) {
                    sum += Math.exp(logit);
                }
                bits[i] = (Math.log(sum) - logits[i][tokens[i + 1]]) / Math.log(2);
                nats += bits[i] * Math.log(2);
            }
            if (edits.equals(RouterEdits.NONE)) {
                assertThat(new Scorer(shard).score(tokens).nats()).isCloseTo(nats, within(1e-3));
            }
            return bits;
        }
    }
}
