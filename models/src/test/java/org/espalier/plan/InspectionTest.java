package org.espalier.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.espalier.checkpoint.Golden;
import org.espalier.model.Model;
import org.espalier.program.Cost;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectionTest {

    @Test
    void layersBehindTheLastAreListedAndNotCounted() {
        try (Model model = Model.open(Golden.shared("deepseek_v3/hf"))) {
            Inspection inspection = Inspection.of(model);
            assertThat(inspection.notLoaded()).isNotEmpty().allMatch(name -> name.startsWith("model.layers.3."));
            assertThat(inspection.sizes().layers()).hasSize(3);
            long notLoaded = model.checkpoint().bytes() - inspection.sizes().all();
            int tensors = inspection.notLoaded().size();
            assertThat(inspection.otherParts())
                    .containsExactly(new Inspection.OtherPart("model.layers.3", tensors, notLoaded));
            assertThat(inspection.describe())
                    .contains(String.format(
                            Locale.ROOT,
                            "not loaded         model.layers.3: %d tensors, %,d bytes",
                            tensors,
                            notLoaded));
        }
    }

    /** The config has one layer less than the files. */
    @Test
    void whatNoProgramReadsIsNotLoaded(@TempDir Path folder) throws IOException {
        Path source = Golden.tiny("llama-tiny/hf");
        Files.copy(source.resolve("model.safetensors"), folder.resolve("model.safetensors"));
        String config = Files.readString(source.resolve("config.json"));
        Files.writeString(
                folder.resolve("config.json"), config.replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2"));
        try (Model model = Model.open(folder);
                Model whole = Model.open(source)) {
            Inspection inspection = Inspection.of(model);
            assertThat(inspection.notLoaded()).hasSize(9).allMatch(name -> name.startsWith("model.layers.2."));
            Inspection.Sizes all = Inspection.of(whole).sizes();
            assertThat(inspection.sizes().all())
                    .isEqualTo(all.all() - all.layers().get(2));
            assertThat(inspection.formats().get("F16"))
                    .isEqualTo(
                            new Inspection.Usage(2 * 9 + 2, inspection.sizes().all()));
        }
    }

    @Test
    void saysWhatTheCheckpointHolds() {
        try (Model model = Model.open(Golden.tiny("deepseek_v3-tiny/mlx4"))) {
            Inspection inspection = Inspection.of(model);
            assertThat(inspection.describe())
                    .contains(
                            "architecture       deepseek_v3, stored as mlx",
                            "experts            16 in each of 3 layers, 4 a token",
                            "ignored keys       none",
                            "not loaded         nothing");
            assertThat(inspection.formats().get("affine 8 bits, group 64"))
                    .isEqualTo(new Inspection.Usage(1, 64 * 128 + 2 * 64 * 2 * 2));
            assertThat(inspection.toJson().path("experts").path("layers").toString())
                    .isEqualTo("[1,2,3]");
            assertThat(inspection.toJson().path("layerBytes")).hasSize(4);
            assertThat(inspection.toString()).contains("  layer 0", "tensor, 8,704 bytes");
        }
    }

    /** Llama with D = 64, 4 heads of 32 with 2 KV heads, MLP 128 wide, 3 layers, V = 264, in F16 with tied embeddings. */
    @Test
    void saysWhatATokenCosts() {
        try (Model model = Model.open(Golden.tiny("llama-tiny/hf"))) {
            Inspection inspection = Inspection.of(model);
            long values = 128 * 64 + 2 * 64 * 64 + 64 * 128 + 3 * 128 * 64 + 2 * 64; // of a layer
            long head = 264 * 64 + 64;
            // all layers and the head, and of the embedding a row of 64 values
            long bytes = 2 * (3 * values + head + 64);
            // a multiplication and an addition a value, and in each layer a score and a sum over itself for 128 columns
            long operations = 2 * (3 * values + head) + 3 * 4 * 128;
            assertThat(inspection.token()).isEqualTo(new Cost(bytes, 3 * 128, operations));
            assertThat(inspection.sizes().cachePerToken()).isEqualTo(3 * 128 * 4);
            assertThat(inspection.describe())
                    .contains(
                            "context            2048 positions, 1,536 bytes of cache each",
                            String.format(
                                    "one token          reads %,d bytes of weights, takes %,d operations",
                                    bytes, operations));
            assertThat(inspection.toJson().path("token").toString())
                    .isEqualTo("{\"weightBytes\":" + bytes + ",\"operations\":" + operations + "}");
        }
    }

    /** Two linear layers of three: 3 rows of 2 x 2 x 16 + 6 x 8 channels, and 6 heads of 16 x 8; one layer of attention with 2 KV heads of 16. */
    @Test
    void saysWhatASessionKeepsHoweverLongItIs() {
        try (Model model = Model.open(Golden.tiny("qwen35moe_gguf-tiny/gguf"))) {
            Inspection inspection = Inspection.of(model);
            assertThat(inspection.sizes().states()).isEqualTo(2 * (3 * 112 + 6 * 16 * 8) * 4);
            assertThat(inspection.sizes().cachePerToken()).isEqualTo(2 * 2 * 16 * 4);
            assertThat(inspection.describe()).contains("states             8,832 bytes a session, however long it is");
            assertThat(inspection.toJson().path("stateBytes").asLong()).isEqualTo(8832);
        }
    }
}
