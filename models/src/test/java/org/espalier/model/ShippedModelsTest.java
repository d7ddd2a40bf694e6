package org.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShippedModelsTest {

    @TempDir
    Path root;

    @Test
    void liesAboveTheJarOfACloneAndOfADistribution() throws IOException {
        Path models = withDemo(root);
        assertThat(ShippedModels.above(root.resolve("node-server/target/espalier-node.jar")))
                .contains(models);
        assertThat(ShippedModels.above(root.resolve("cluster-client/target/classes")))
                .contains(models);
        assertThat(ShippedModels.above(root.resolve("espalier-kernel.jar"))).contains(models);
        assertThat(ShippedModels.above(root.resolve("a/b/c/espalier-kernel.jar")))
                .isEmpty();
    }

    @Test
    void aFolderOfOtherModelsIsNotOurs() throws IOException {
        Files.createDirectories(root.resolve("models/other"));
        assertThat(ShippedModels.above(root.resolve("lib/espalier-kernel.jar"))).isEmpty();
        assertThat(ShippedModels.above(Path.of("/"))).isEmpty();
    }

    /** The folder of the clone also holds the module's code and what it builds. */
    @Test
    void theFolderOfTheCloneListsItsModelsOnly() {
        Path folder = ShippedModels.folder().orElseThrow();
        assertThat(folder).isEqualTo(Path.of("").toAbsolutePath());
        assertThat(folder.resolve("src")).isDirectory();
        assertThat(folder.resolve("target")).isDirectory();
        ModelCatalogue shipped = ModelCatalogue.only(List.of(folder));
        assertThat(shipped.names()).containsExactly("demo");
        assertThat(shipped.resolve("demo")).isEqualTo(folder.resolve("demo"));
        assertThatThrownBy(() -> shipped.resolve("java"))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("they hold demo");
    }

    private static Path withDemo(Path root) throws IOException {
        Path demo = Files.createDirectories(root.resolve("models/demo"));
        Files.writeString(demo.resolve("config.json"), "{}");
        return demo.getParent();
    }
}
