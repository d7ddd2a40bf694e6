package org.espalier.node.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.espalier.EspalierException;
import org.espalier.checkpoint.PresentRanges;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.Precision;
import org.espalier.model.Model;
import org.espalier.plan.ShardPlans;
import org.espalier.slice.LayerRange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardTest {

    private static final Path LLAMA = Path.of("..", "models", "src", "test", "resources", "models", "llama-tiny", "hf");

    private final Engines engines = new Engines("");

    @AfterEach
    void closeEngines() {
        engines.close();
    }

    @Test
    void aPartIsLighterThanTheWhole() {
        try (Shard whole = load(0, 3);
                Shard middle = load(1, 2)) {
            assertThat(whole.program().program().embedsTokens()).isTrue();
            assertThat(whole.program().program().endsInLogits()).isTrue();
            assertThat(middle.program().program().embedsTokens()).isFalse();
            assertThat(middle.program().program().endsInLogits()).isFalse();
            assertThat(middle.residentBytes()).isPositive().isLessThan(whole.residentBytes() / 2);
        }
    }

    @Test
    void runsFloat32WhereTheEngineHasNothingFaster() {
        try (Shard shard = Shard.load(
                Model.open(LLAMA), LayerRange.whole(3), engines, Shard.Request.of("reference", Precision.FAST))) {
            assertThat(shard.precision()).isEqualTo(Precision.FLOAT32);
            assertThat(shard.engine()).isEqualTo("reference");
        }
    }

    @Test
    void theBestEngineRunsFast() {
        EngineProvider best = engines.providers().stream()
                .filter(provider -> provider.availability() instanceof EngineProvider.Availability.Ready)
                .findFirst()
                .orElseThrow();
        try (Shard shard =
                Shard.load(Model.open(LLAMA), LayerRange.whole(3), engines, Shard.Request.of("", Precision.FAST))) {
            assertThat(shard.engine()).isEqualTo(best.name());
            assertThat(shard.precision())
                    .isEqualTo(best.precisions().contains(Precision.FAST) ? Precision.FAST : Precision.FLOAT32);
        }
    }

    @Test
    void layersThatNeedTheOneBeforeThemAreRefused() {
        Path model = LLAMA.resolveSibling("../glm-dsa_gguf-tiny/gguf/model.gguf");
        assertThatThrownBy(() -> Shard.load(
                        Model.open(model), new LayerRange(1, 3, 3), engines, Shard.Request.of("", Precision.FLOAT32)))
                .isInstanceOf(EspalierException.class)
                .hasMessageEndingWith(
                        "layer 1 uses rows that a layer before it chose, so that it cannot be the first of a"
                                + " node: place layer 0 with it");
    }

    @Test
    void layersThatAreNotThereAreRefused() {
        assertThatThrownBy(() -> load(0, 4))
                .isInstanceOf(EspalierException.class)
                .hasMessageContaining("the model has layers 0 to 2, not 0 to 3");
        assertThatThrownBy(() -> load(2, 2)).isInstanceOf(EspalierException.class);
        assertThatThrownBy(() -> load(-1, 2)).isInstanceOf(EspalierException.class);
    }

    /** Of the file only the first layer's bytes are there; the rest would be read as zeros. */
    @Test
    void layersThatWereNotFetchedAreRefused(@TempDir Path folder) throws IOException {
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(LLAMA.resolve(file), folder.resolve(file));
        }
        Path weights = folder.resolve("model.safetensors");
        PresentRanges present = new PresentRanges("commit");
        try (Model model = Model.open(folder)) {
            new ShardPlans(model)
                    .of(1, 2)
                    .ranges(0)
                    .byFile()
                    .get(weights)
                    .forEach(range -> present.add(range.begin(), range.end()));
        }
        present.write(weights);
        Shard.Request request = Shard.Request.of("", Precision.FLOAT32);
        Shard.load(Model.open(folder), new LayerRange(1, 2, 3), engines, request)
                .close();
        assertThatThrownBy(() -> Shard.load(Model.open(folder), new LayerRange(1, 3, 3), engines, request))
                .isInstanceOf(EspalierException.class)
                .hasMessageContaining(folder + " holds only some layers, model.")
                .hasMessageContaining(" was not fetched");
    }

    @Test
    void biasesThatTheFileLacksAreMissedByName(@TempDir Path folder) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode config =
                (ObjectNode) mapper.readTree(LLAMA.resolve("config.json").toFile());
        Files.copy(LLAMA.resolve("model.safetensors"), folder.resolve("model.safetensors"));
        mapper.writeValue(folder.resolve("config.json").toFile(), config.put("mlp_bias", true));

        assertThatThrownBy(() -> Shard.load(
                        Model.open(folder), LayerRange.whole(3), engines, Shard.Request.of("", Precision.FLOAT32)))
                .isInstanceOf(EspalierException.class)
                .hasMessageContaining("model.layers.0.mlp.gate_proj.bias");

        mapper.writeValue(
                folder.resolve("config.json").toFile(),
                config.put("mlp_bias", false).put("attention_bias", true));
        assertThatThrownBy(() -> Shard.load(
                        Model.open(folder), LayerRange.whole(3), engines, Shard.Request.of("", Precision.FLOAT32)))
                .isInstanceOf(EspalierException.class)
                .hasMessageContaining("model.layers.0.self_attn.q_proj.bias");
    }

    @Test
    void enginesAndPrecisionsAreListedWhereAnUnknownOneIsAskedFor() {
        assertThat(Engines.names()).contains("reference");
        assertThatThrownBy(() -> load("warp"))
                .isInstanceOf(EspalierException.class)
                .hasMessageContaining("there is no engine 'warp' here: choose one of cpu, mlx, reference");
        assertThatThrownBy(() -> Shard.precision("half"))
                .isInstanceOf(EspalierException.class)
                .hasMessageContaining("choose float32 or fast");
    }

    private Shard load(String engine) {
        return Shard.load(Model.open(LLAMA), LayerRange.whole(3), engines, Shard.Request.of(engine, Precision.FLOAT32));
    }

    private Shard load(int first, int end) {
        return Shard.load(
                Model.open(LLAMA),
                new LayerRange(first, end, 3),
                engines,
                Shard.Request.of("reference", Precision.FLOAT32));
    }
}
