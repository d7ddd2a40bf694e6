package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.espalier.architecture.Architectures;
import org.espalier.architecture.LayerOutput;
import org.espalier.model.Model;
import org.espalier.plan.Inspection;
import org.espalier.plan.Inspection.OtherPart;
import org.espalier.plan.ShardPlans;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The text part of a multimodal checkpoint computes what the same model computes by itself, and reads nothing else. */
class MultimodalTest {

    private static final Path TEXT = Golden.tiny("deepseek_v3-tiny/hf");

    @TempDir
    Path folder;

    @Test
    void namesOfOlderCheckpoints() throws IOException {
        computesTheSame(Multimodal::older);
    }

    @Test
    void namesOfTransformers() throws IOException {
        computesTheSame(Multimodal::newer);
    }

    private void computesTheSame(UnaryOperator<String> names) throws IOException {
        Multimodal.of(TEXT, folder, "kimi_k25", names);
        assertThat(LayerOutput.between(folder, 1, 4)).isEqualTo(LayerOutput.between(TEXT, 1, 4));
        try (Model text = Model.open(TEXT);
                Model model = Model.open(folder)) {
            assertThat(model.checkpoint().names()).containsAll(text.checkpoint().names());
            assertThat(model.architecture().ignoredKeys())
                    .isEqualTo(text.architecture().ignoredKeys());
            assertThat(new ShardPlans(model).sizes()).isEqualTo(new ShardPlans(text).sizes());
            Inspection inspection = Inspection.of(model);
            OtherPart vision = new OtherPart("vision_tower", 2, 2 * Multimodal.VISION_BYTES);
            assertThat(inspection.otherParts()).contains(vision);
            assertThat(inspection.notLoaded()).contains("vision_tower.blocks.1.w", "vision_tower.blocks.2.w");
            assertThat(inspection.describe()).contains("not loaded         vision_tower: 2 tensors, 6,000 bytes");
            assertThat(inspection.toJson().path("otherParts").toString())
                    .contains("{\"name\":\"vision_tower\",\"tensors\":2,\"bytes\":6000}");
        }
    }

    @Test
    void aTensorUnderBothNamesIsRefused() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"kimi_k25\"}");
        new SafetensorsBuilder()
                .tensor("language_model.model.norm.weight", "F32", 4)
                .tensor("model.language_model.norm.weight", "F32", 4)
                .write(folder.resolve("model.safetensors"));
        assertThatThrownBy(() -> Checkpoint.open(folder, Architectures.gguf()))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(folder + " has both language_model.model.norm.weight and model.language_model.norm.weight"
                        + " for the tensor model.norm.weight");
    }
}
