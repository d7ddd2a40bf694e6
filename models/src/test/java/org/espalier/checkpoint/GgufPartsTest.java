package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.espalier.architecture.Architectures;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufPartsTest {

    @TempDir
    Path folder;

    private Path part(int number) {
        return folder.resolve("m-0000" + number + "-of-00003.gguf");
    }

    /** As gguf-split writes them: the first without tensors. */
    private void write() {
        GgufBuilder.llamaKeys()
                .key("split.no", 0)
                .key("split.count", 3)
                .key("split.tensors.count", 3)
                .write(part(1));
        second(1).write(part(2));
        new GgufBuilder()
                .key("split.no", 2)
                .key("split.count", 3)
                .key("split.tensors.count", 3)
                .tensor("blk.0.attn_q.weight", GgmlType.Q4_0, 32, 32)
                .write(part(3));
    }

    private static GgufBuilder second(int number) {
        return new GgufBuilder()
                .key("split.no", number)
                .key("split.count", 3)
                .key("split.tensors.count", 3)
                .tensor("token_embd.weight", GgmlType.F16, 4, 32)
                .tensor("output_norm.weight", GgmlType.F32, 32);
    }

    private void refused(Path path, String message) {
        assertThatThrownBy(() -> Checkpoint.open(path, Architectures.gguf()))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(message);
    }

    @Test
    void anyPartOrTheFolderOpensAll() {
        write();
        for (Path path : List.of(part(1), part(2), part(3), folder)) {
            Checkpoint checkpoint = Checkpoint.open(path, Architectures.gguf());
            assertThat(checkpoint.path()).isEqualTo(part(1));
            assertThat(checkpoint.names()).hasSize(3);
            assertThat(checkpoint.config().path("hidden_size").asInt()).isEqualTo(32);
            assertThat(file(checkpoint, "model.norm.weight")).isEqualTo(part(2));
            assertThat(file(checkpoint, "model.layers.0.self_attn.q_proj.weight"))
                    .isEqualTo(part(3));
            assertThat(checkpoint.bytes()).isEqualTo(4 * 32 * 2 + 32 * 4 + 32 * 18);
        }
    }

    private static Path file(Checkpoint checkpoint, String name) {
        return checkpoint.weight(name).pieces().get(0).values().file();
    }

    @Test
    void aMissingPartIsNamed() throws IOException {
        write();
        Files.delete(part(3));
        refused(part(2), "part 3 of 3 is missing: " + part(3) + " does not exist, fetch the file");
        refused(folder, "part 3 of 3 is missing: " + part(3) + " does not exist, fetch the file");
    }

    @Test
    void partsThatDoNotBelongTogetherAreRefused() throws IOException {
        write();
        Path renamed = Files.copy(part(1), folder.resolve("renamed.gguf"));
        refused(renamed, renamed + " is one of 3 parts, expected it to be named like NAME-00001-of-00003.gguf");
        second(2).write(part(2));
        refused(part(1), part(2) + " says it is part 3 of 3, expected part 2 of 3: fetch the file again");
        second(1).tensor("output.weight", GgmlType.F16, 4, 32).write(part(2));
        refused(part(1), "the 3 parts of " + part(1) + " have 4 tensors, expected 3: fetch the files again");
        second(1).key("split.x", 1).write(part(2));
        second(1).write(folder.resolve("other.gguf"));
        refused(
                folder,
                folder + " holds several GGUF models: m-00001-of-00003.gguf, other.gguf, renamed.gguf;"
                        + " name one of the files");
    }

    @Test
    void aTensorInTwoPartsIsRefused() {
        write();
        GgufBuilder.llamaKeys()
                .key("split.no", 0)
                .key("split.count", 2)
                .tensor("output_norm.weight", GgmlType.F32, 32)
                .write(folder.resolve("t-00001-of-00002.gguf"));
        new GgufBuilder()
                .key("split.no", 1)
                .key("split.count", 2)
                .tensor("output_norm.weight", GgmlType.F32, 32)
                .write(folder.resolve("t-00002-of-00002.gguf"));
        refused(
                folder.resolve("t-00002-of-00002.gguf"),
                "tensor output_norm.weight is in two parts of " + folder.resolve("t-00001-of-00002.gguf"));
    }

    @Test
    void aHostileCountIsRefused() {
        for (Object count : new Object[] {"x", 2_000_000_000, 1e9f, List.of(3)}) {
            Path file = GgufBuilder.llamaKeys().key("split.count", count).write(part(1));
            assertThatThrownBy(() -> Checkpoint.open(file, Architectures.gguf()))
                    .isInstanceOf(CheckpointException.class);
        }
    }
}
