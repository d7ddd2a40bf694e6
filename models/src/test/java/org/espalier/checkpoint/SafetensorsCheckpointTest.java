package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.architecture.Architectures;
import org.espalier.weights.Pieces;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsCheckpointTest {

    @TempDir
    Path folder;

    @BeforeEach
    void config() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"llama\"}");
    }

    private void index(String weightMap) throws IOException {
        Files.writeString(folder.resolve("model.safetensors.index.json"), "{\"weight_map\":" + weightMap + "}");
    }

    private void refused(Path path, String message) {
        assertThatThrownBy(() -> Checkpoint.open(path, Architectures.gguf()))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(message);
    }

    @Test
    void aTypeThatIsNotComputedWithIsRefusedWhenAsked() {
        new SafetensorsBuilder()
                .tensor("a", "F8_E5M2", 2, 2)
                .tensor("b", "F16", 2, 3)
                .tensor("c", "F32", 0)
                .write(folder.resolve("model.safetensors"));
        Checkpoint checkpoint = Checkpoint.open(folder, Architectures.gguf());
        assertThat(checkpoint.weight("b").pieces().get(0).values().rowBytes()).isEqualTo(6);
        assertThat(checkpoint.config().path("model_type").asText()).isEqualTo("llama");
        assertThatThrownBy(() -> checkpoint.weight("a"))
                .hasMessage(folder + ": tensor a is of type F8_E5M2, expected F32, F16 or BF16");
        assertThatThrownBy(() -> checkpoint.weight("c")).hasMessageContaining("tensor c has the shape [0]");
        assertThatThrownBy(() -> checkpoint.weight("d")).hasMessage(folder + " has no tensor d");
    }

    private Checkpoint open(SafetensorsBuilder weights) {
        weights.write(folder.resolve("model.safetensors"));
        return Checkpoint.open(folder, Architectures.gguf());
    }

    @Test
    void singleExpertsAreOneWeightInTheirOrder() {
        Checkpoint checkpoint = open(new SafetensorsBuilder()
                .tensor("m.experts.1.up_proj.weight", "F16", 2, 3)
                .tensor("m.experts.10.up_proj.weight", "F16", 2, 3)
                .tensor("m.experts.0.up_proj.weight", "F16", 2, 3)
                .tensor("n.experts.1.up_proj.weight", "F16", 2, 3)
                .tensor("n.experts.0.up_proj.weight", "F16", 2, 3));
        assertThat(checkpoint.names()).containsExactly("m.experts.*.up_proj.weight", "n.experts.*.up_proj.weight");
        Pieces pieces = checkpoint.weight("n.experts.*.up_proj.weight").pieces();
        assertThat(pieces.count()).isEqualTo(2);
        assertThat(pieces.get(1).values().offset())
                .isEqualTo(pieces.get(0).values().offset() - 2 * 3 * 2);
        assertThatThrownBy(() -> checkpoint.weight("m.experts.*.up_proj.weight"))
                .hasMessage(folder + " has no tensor m.experts.2.up_proj.weight");
        assertThatThrownBy(() -> checkpoint.weight("m.experts.1.up_proj.weight"))
                .hasMessage(folder + " has no tensor m.experts.1.up_proj.weight");
    }

    @Test
    void anExpertThatIsUnlikeTheOthersIsNamed() {
        String expected =
                folder + ": tensor m.experts.1.up_proj.weight is %s but m.experts.0.up_proj.weight is F16 [2, 3],"
                        + " expected all experts of a layer alike";
        assertThatThrownBy(() -> open(new SafetensorsBuilder()
                                .tensor("m.experts.0.up_proj.weight", "F16", 2, 3)
                                .tensor("m.experts.1.up_proj.weight", "F16", 2, 4))
                        .weight("m.experts.*.up_proj.weight"))
                .hasMessage(expected, "F16 [2, 4]");
        assertThatThrownBy(() -> open(new SafetensorsBuilder()
                                .tensor("m.experts.0.up_proj.weight", "F16", 2, 3)
                                .tensor("m.experts.1.up_proj.weight", "F32", 2, 3))
                        .weight("m.experts.*.up_proj.weight"))
                .hasMessage(expected, "F32 [2, 3]");
        assertThatThrownBy(() -> open(new SafetensorsBuilder().tensor("m.experts.0.up_proj.weight", "F16", 2, 3, 4))
                        .weight("m.experts.*.up_proj.weight"))
                .hasMessage(
                        folder + ": tensor m.experts.0.up_proj.weight has the shape [2, 3, 4], expected one matrix for"
                                + " one expert");
    }

    @Test
    void anExpertThatIsThereTwiceIsRefused() {
        assertThatThrownBy(() -> open(new SafetensorsBuilder()
                        .tensor("m.experts.0.up_proj.weight", "F16", 2, 3)
                        .tensor("m.experts.00.up_proj.weight", "F16", 2, 3)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageEndingWith(
                        " has both m.experts.0.up_proj.weight and m.experts.00.up_proj.weight for the tensor"
                                + " m.experts.00.up_proj.weight");
    }

    @Test
    void moreSingleExpertsThanIdsAreRefused() {
        SafetensorsBuilder weights = new SafetensorsBuilder();
        for (int expert = 0; expert <= Short.MAX_VALUE; expert++) {
            weights.tensor("m.experts." + expert + ".up_proj.weight", "F16", 1, 1);
        }
        assertThatThrownBy(() -> open(weights).weight("m.experts.*.up_proj.weight"))
                .hasMessage(folder + " has 32768 tensors m.experts.*.up_proj.weight, expected at most 32767 experts");
    }

    @Test
    void wrongPathsSayWhatIsExpected() throws IOException {
        Path missing = folder.resolve("missing");
        refused(missing, missing + " does not exist: expected a directory with config.json, or a .gguf file");
        Path text = Files.writeString(folder.resolve("text"), "hello");
        refused(text, text + " is not a GGUF file: it does not begin with the bytes GGUF");
        Path weights = Files.writeString(folder.resolve("model.safetensors"), "xxxxxxxx");
        refused(
                weights,
                weights + " is not a GGUF file: it does not begin with the bytes GGUF: name its directory instead");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        String expected =
                " has no config.json and no .gguf file: expected a directory with config.json and safetensors,"
                        + " or a .gguf file";
        refused(empty, empty + expected);
        Files.createFile(empty.resolve("x.gguf"));
        refused(empty, empty.resolve("x.gguf") + " is not a GGUF file: it does not begin with the bytes GGUF");
        Files.createFile(empty.resolve("y.gguf"));
        refused(empty, empty + " holds several GGUF models: x.gguf, y.gguf; name one of the files");
    }

    @Test
    void aDirectoryWithoutWeightsSaysWhatIsExpected() {
        refused(
                folder,
                folder + " has no weights: expected model.safetensors or model.safetensors.index.json;"
                        + " other weight formats are not read");
    }

    @Test
    void aConfigThatIsNoObjectIsRefused() throws IOException {
        Path config = folder.resolve("config.json");
        Files.writeString(config, "[1]");
        refused(folder, config + " is not a JSON object");
        Files.writeString(config, "{\"a\":\n1,}");
        assertThatThrownBy(() -> Checkpoint.open(folder, Architectures.gguf()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("is not valid JSON")
                .hasMessageEndingWith("(line 2)");
        Files.writeString(config, "{\"a\":1,\"a\":2}");
        assertThatThrownBy(() -> Checkpoint.open(folder, Architectures.gguf()))
                .hasMessageContaining("Duplicate field 'a'");
    }

    @Test
    void aMissingShardIsNamed() throws IOException {
        index("{\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\"}");
        new SafetensorsBuilder().tensor("a", "F32", 1).write(folder.resolve("model-1.safetensors"));
        refused(
                folder,
                "shard model-2.safetensors is missing in " + folder
                        + ": model.safetensors.index.json needs it, fetch the file");
    }

    @Test
    void anIndexThatDoesNotMatchItsShardsIsRefused() throws IOException {
        new SafetensorsBuilder().tensor("a", "F32", 1).write(folder.resolve("model-1.safetensors"));
        new SafetensorsBuilder()
                .tensor("a", "F32", 1)
                .tensor("b", "F32", 1)
                .write(folder.resolve("model-2.safetensors"));
        index("{\"b\":\"model-1.safetensors\"}");
        refused(
                folder,
                folder.resolve("model-1.safetensors") + " has no tensor b, which model.safetensors.index.json says is"
                        + " there: fetch both files again");
        index("{\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\"}");
        refused(folder, "tensor a is in two shards, model-1.safetensors and model-2.safetensors of " + folder);
        index("[]");
        refused(
                folder,
                folder.resolve("model.safetensors.index.json") + " has no weight_map from tensor names to files");
    }

    @Test
    void anIndexCannotLeadOutOfItsDirectory() throws IOException {
        for (String file : new String[] {"../a.safetensors", "/etc/passwd", "sub/a.safetensors", ""}) {
            index("{\"a\":\"" + file + "\"}");
            assertThatThrownBy(() -> Checkpoint.open(folder, Architectures.gguf()))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageEndingWith(
                            "maps a to \"" + file + "\", expected the name of a .safetensors file beside it");
        }
    }
}
