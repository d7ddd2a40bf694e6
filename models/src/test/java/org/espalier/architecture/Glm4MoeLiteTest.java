package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.engine.reference.ReferenceEngine;
import org.espalier.model.Model;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kimi K2's weights under GLM's config: both compute the same, and only one of them counts dense layers by a number. */
class Glm4MoeLiteTest {

    @Test
    void computesWhatKimiK2Computes(@TempDir Path folder) throws IOException {
        GoldenModel golden = GoldenModel.tiny("kimi_k2-tiny/hf");
        Files.copy(golden.path().resolve("model.safetensors"), folder.resolve("model.safetensors"));
        String config = Files.readString(golden.path().resolve("config.json"));
        Files.writeString(
                folder.resolve("config.json"),
                config.replace("\"kimi_k2\"", "\"glm4_moe_lite\"")
                        .replace("\"first_k_dense_replace\": 1", "\"first_k_dense_replace\": 2"));
        try (ReferenceEngine engine = new ReferenceEngine();
                Model model = Model.open(folder)) {
            assertThat(model.architecture()).isInstanceOf(Glm4MoeLite.class);
            for (GoldenModel.Golden prompt : golden.prompts()) {
                try (Run run = new Run(model, engine, model.architecture().layers())) {
                    float[] logits = run.step(prompt.ids("prompt_ids"));
                    float[] expected = prompt.numbers("last_logits");
                    for (int i = 0; i < expected.length; i++) {
                        assertThat(logits[i]).as("logit " + i).isCloseTo(expected[i], within(2e-4f));
                    }
                    int[] greedy = prompt.ids("greedy_ids");
                    assertThat(run.greedy(logits, greedy.length)).containsExactly(greedy);
                }
            }
        }
    }
}
