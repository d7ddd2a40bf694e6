package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No golden is lost without a word: neither one that is listed nor one that is there. */
class GoldenModelTest {

    @Test
    void eachFolderIsListedOnce() throws IOException {
        Set<String> found = new TreeSet<>();
        Path root = GoldenModel.tiny().get(0).root();
        try (Stream<Path> folders = Files.walk(root, 2)) {
            folders.filter(folder -> List.of("hf", "mlx4", "gguf")
                            .contains(folder.getFileName().toString()))
                    .forEach(folder ->
                            found.add(root.relativize(folder).toString().replace('\\', '/')));
        }
        assertThat(GoldenModel.tiny()).extracting(GoldenModel::name).containsExactlyElementsOf(found);
        assertThat(GoldenModel.shared()).extracting(GoldenModel::name).doesNotHaveDuplicates();
    }

    @Test
    void aMissingOneFailsByName(@TempDir Path empty) throws IOException {
        GoldenModel missing = new GoldenModel(empty, "llama-tiny/hf");
        assertThatThrownBy(missing::open)
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("the golden model llama-tiny/hf is missing: ");
        Files.createDirectories(empty.resolve("llama-tiny/hf"));
        assertThatThrownBy(missing::open)
                .as("weights without results")
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("golden.json");
    }
}
