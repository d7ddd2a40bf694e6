package org.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.espalier.checkpoint.Golden;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelTest {

    @TempDir
    Path folder;

    @Test
    void holdsConfigTokenizerAndTemplate() {
        try (Model model = Model.open(Golden.tiny("llama-tiny/hf"))) {
            assertThat(model.config().architecture()).isEqualTo("llama");
            assertThat(model.tokenizer().orElseThrow().encode("the")).containsExactly(257);
            assertThat(model.tokenizer()).isSameAs(model.tokenizer());
            assertThat(model.chatTemplate().orElseThrow()).contains("message");
        }
    }

    @Test
    void aGgufFileCarriesItsTokenizer() {
        try (Model model = Model.open(Golden.tiny("llama_gguf-tiny/gguf/model.gguf"))) {
            assertThat(model.name()).isEqualTo("model");
            assertThat(model.tokenizer().orElseThrow().encode("the")).containsExactly(257);
            assertThat(model.chatTemplate().orElseThrow()).contains("message");
        }
    }

    private void copyLlama() throws IOException {
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(Golden.tiny("llama-tiny/hf").resolve(file), folder.resolve(file));
        }
    }

    @Test
    void generationConfigAddsEndOfSequence() throws IOException {
        copyLlama();
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\":[260,258]}");
        try (Model model = Model.open(folder)) {
            assertThat(model.config().endOfSequence()).containsExactlyInAnyOrder(258, 260);
            assertThat(model.tokenizer()).isEmpty();
            assertThat(model.chatTemplate()).isEmpty();
        }
    }

    @Test
    void aConfigErrorNamesItsFile() throws IOException {
        copyLlama();
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("silu", "relu"));
        assertThatThrownBy(() -> Model.open(folder))
                .isInstanceOf(ConfigException.class)
                .hasMessage(config + ": hidden_act is relu, only silu is computed");
    }

    @Test
    void sizesAreTheBytesOfTheTensors() {
        try (Model model = Model.open(Golden.tiny("llama-tiny/hf"))) {
            // F16: q 128x64, k and v 64x64, o 64x128, three matrices of 128x64, two norms of 64
            long layer = 2L * (128 * 64 + 2 * 64 * 64 + 64 * 128 + 3 * 128 * 64 + 2 * 64);
            long embedding = 2L * 264 * 64;
            assertThat(ModelSizes.of(model))
                    .isEqualTo(
                            new ModelSize(embedding, List.of(layer, layer, layer), embedding + 2 * 64, 4 * 2 * 2 * 32));
        }
    }

    @Test
    void layersBehindTheLastAreListedAndNotCounted() {
        try (Model model = Model.open(Golden.shared("deepseek_v3/hf"))) {
            Inspection inspection = Inspection.of(model);
            assertThat(inspection.notLoaded()).isNotEmpty().allMatch(name -> name.startsWith("model.layers.3."));
            assertThat(inspection.size().layers()).hasSize(3);
            long notLoaded = inspection.notLoaded().stream()
                    .mapToLong(name -> model.checkpoint().tensor(name).bytes())
                    .sum();
            assertThat(inspection.bytes()).isEqualTo(model.checkpoint().bytes() - notLoaded);
        }
    }

    @Test
    void inspectionSaysWhatTheCheckpointHolds() {
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
}
