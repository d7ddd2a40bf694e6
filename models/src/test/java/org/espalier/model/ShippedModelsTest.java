package org.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

    private static Path withDemo(Path root) throws IOException {
        Path demo = Files.createDirectories(root.resolve("models/demo"));
        Files.writeString(demo.resolve("config.json"), "{}");
        return demo.getParent();
    }
}
