package org.espalier.kernel.magic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.espalier.kernel.display.Output;
import org.espalier.placement.Placement;
import org.espalier.placement.PlacementFile;
import org.espalier.slice.Share;
import org.espalier.slice.Shares;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code %model} on a node inside this JVM. */
class ModelMagicTest {

    private static final Path LLAMA = Path.of("..", "models", "src", "test", "resources", "models", "llama-tiny", "hf");

    @TempDir
    Path folder;

    private final NotebookCluster notebook = new NotebookCluster();
    private final List<String> shown = new ArrayList<>();
    private final Output output = new Output() {
        @Override
        public void print(String text) {
            shown.add(text);
        }

        @Override
        public void display(DisplayData data) {
            shown.add(String.valueOf(data));
        }

        @Override
        public void update(DisplayData data) {
            display(data);
        }

        @Override
        public void clear() {
            shown.clear();
        }
    };

    @AfterEach
    void close() {
        notebook.close();
    }

    private void model(String arguments) {
        shown.clear();
        new ModelMagic(notebook).run(new MagicCall(arguments, Optional.empty(), output, null));
    }

    @Test
    void unloadRefusesOptionsThatItDoesNotHave() {
        model("load " + LLAMA + " --name mine");
        assertThatThrownBy(() -> model("unload --bogus")).hasMessageContaining("%model unload has no option --bogus");
        assertThatThrownBy(() -> model("unload yours"))
                .hasMessageContaining("no node has a deployment 'yours': they hold mine");
        assertThat(notebook.deployment()).isPresent();
        model("unload --force");
        assertThat(shown).containsExactly("unloaded\n");
        assertThat(notebook.deployment()).isEmpty();
    }

    @Test
    void aPlanIsOfWhatIsLoadedAndNeedsNoFiles() throws IOException {
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(LLAMA.resolve(file), folder.resolve(file));
        }
        model("load " + folder + " --name mine");
        Files.delete(folder.resolve("config.json")); // a model that is planned by its path is opened again
        model("split --plan");
        assertThat(shown).hasSize(1);
    }

    /** Both nodes read one memory: two exchanges a layer and one of the logits save nothing. */
    @Test
    void aPlanOverSeveralNodesSaysHowLongATokenTakesAtLeast() {
        Path file = folder.resolve("halves.json");
        PlacementFile.write(
                new Placement(
                        "pipeline",
                        3,
                        List.of(
                                new Placement.Shard("local-1", 0, 3, Shares.of(Share.equal(0, 2))),
                                new Placement.Shard("local-2", 0, 3, Shares.of(Share.equal(1, 2))))),
                file);
        new ClusterMagic(notebook).run(new MagicCall("local --nodes 2", Optional.empty(), output, null));
        model("load " + LLAMA + " --plan --placement " + file);
        assertThat(shown).hasSize(3);
        assertThat(shown.get(1) + shown.get(2))
                .contains("pipeline: at least ", "planned: at least ", " ms a token: ", " in 7 exchanges (");
    }
}
