package org.espalier.node.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.espalier.engine.EngineProvider.Availability;
import org.espalier.engine.Precision;
import org.espalier.engine.library.LibraryProvider;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
import org.espalier.node.shard.Engines;
import org.espalier.node.shard.Shard;
import org.espalier.slice.LayerRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * What {@code fast} costs on a real model: its perplexity on prose.jsonl, rows of 501 token ids, against that of the reference engine, which
 * {@code espalier-node score --engine reference --model SmolLM2-135M-Instruct.Q4_1.gguf --json prose.jsonl} printed.
 */
class PerplexityRealWeightsIT {

    private static final Path MODEL = Path.of("..", "notebooks", "models", "SmolLM2-135M-Instruct.Q4_1.gguf");
    private static final Path ROWS = Path.of("src", "test", "resources", "perplexity", "prose.jsonl");

    /** Of the 2,000 tokens that are predicted. */
    private static final double REFERENCE_NATS = 9754.586415058468;

    /** Of the first 256 of them. */
    private static final double REFERENCE_NATS_OF_256 = 1242.7455117153997;

    @Test
    void of256Tokens() throws IOException {
        assertClose(List.of(Arrays.copyOf(rows().get(0), 257)), REFERENCE_NATS_OF_256);
    }

    @Test
    @EnabledIfSystemProperty(named = "perplexity", matches = "all", disabledReason = "2,000 tokens: -Dperplexity=all")
    void of2000Tokens() throws IOException {
        assertClose(rows(), REFERENCE_NATS);
    }

    private static List<int[]> rows() throws IOException {
        List<int[]> rows = new ArrayList<>();
        for (String line : Files.readAllLines(ROWS)) {
            rows.add(new ObjectMapper().readValue(line, int[].class));
        }
        return rows;
    }

    private static void assertClose(List<int[]> rows, double referenceNats) {
        assumeTrue(Files.exists(MODEL), "SmolLM2 is not here: run ./notebooks/lab --setup");
        assumeTrue(LibraryProvider.cpu().availability() instanceof Availability.Ready, "the cpu engine was not built");
        Model model = ModelCatalogue.ofThisMachine().open(MODEL.toString());
        LayerRange layers = LayerRange.whole(model.architecture().layers());
        try (Engines engines = new Engines("");
                Shard shard = Shard.load(model, layers, engines, Shard.Request.of("cpu", Precision.FAST))) {
            Scorer scorer = new Scorer(shard);
            double nats =
                    rows.stream().map(scorer::score).mapToDouble(Score::nats).sum();
            int tokens = rows.stream().mapToInt(row -> row.length - 1).sum();
            assertThat(Math.exp((nats - referenceNats) / tokens))
                    .as("perplexity, as a share of the reference engine's")
                    .isBetween(0.995, 1.005);
        }
    }
}
