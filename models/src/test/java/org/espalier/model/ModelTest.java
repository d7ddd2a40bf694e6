package org.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.espalier.checkpoint.Golden;
import org.espalier.config.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelTest {

    @TempDir
    Path folder;

    @Test
    void holdsConfigTokenizerAndTemplate() {
        try (Model model = Model.open(Golden.tiny("llama-tiny/hf"))) {
            assertThat(model.architecture().modelType()).isEqualTo("llama");
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

    @Test
    void aClosedModelDoesNotSayThatItHasNoTokenizer() {
        Model model = Model.open(Golden.tiny("llama-tiny/hf"));
        model.close();
        model.close();
        assertThatThrownBy(model::tokenizer).hasMessageMatching("model .* is closed, so its tokenizer .*");
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
            assertThat(model.architecture().endOfSequence()).containsExactlyInAnyOrder(258, 260);
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
                .hasMessage(config + ": hidden_act is relu, which is not supported: expected silu");
    }
}
