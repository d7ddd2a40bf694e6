package org.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelCatalogueTest {

    @TempDir
    Path folder;

    private Path root;
    private Path snapshot;

    @BeforeEach
    void makeRoot() throws IOException {
        root = folder.resolve("root");
        file("root/plain/config.json");
        file("root/org/inner/config.json");
        file("root/SmolLM2-135M-Instruct.Q4_1.gguf");
        file("root/notes.txt");
        file("root/models--big--Model-7B/blobs/abc");
        file("root/models--big--Model-7B/snapshots/old/config.json");
        snapshot = folder.resolve("root/models--big--Model-7B/snapshots/new");
        Files.createDirectories(snapshot);
        Files.createSymbolicLink(snapshot.resolve("config.json"), Path.of("../../blobs/abc"));
        Files.createSymbolicLink(snapshot.resolve("q4.gguf"), Path.of("../../blobs/abc"));
        Files.writeString(file("root/models--big--Model-7B/refs/main"), "new\n");
        file("outside/config.json");
    }

    private Path file(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.createFile(file);
    }

    @Test
    void listsWhatTheFoldersHold() {
        assertThat(ModelCatalogue.only(List.of(root, folder.resolve("none"))).names())
                .containsExactly("big/Model-7B", "big/Model-7B/q4", "org/inner", "plain", "SmolLM2-135M-Instruct.Q4_1");
    }

    @Test
    void resolvesPathsNamesAndAliases() {
        ModelCatalogue catalogue = ModelCatalogue.only(List.of(root));
        Path smol = root.resolve("SmolLM2-135M-Instruct.Q4_1.gguf");
        assertThat(catalogue.resolve(root.resolve("plain").toString())).isEqualTo(root.resolve("plain"));
        assertThat(catalogue.resolve("PLAIN")).isEqualTo(root.resolve("plain"));
        assertThat(catalogue.resolve("inner")).isEqualTo(root.resolve("org/inner"));
        assertThat(catalogue.resolve("org/inner")).isEqualTo(root.resolve("org/inner"));
        assertThat(catalogue.resolve("big/model-7b")).isEqualTo(snapshot);
        assertThat(catalogue.resolve("smollm2")).isEqualTo(smol);
        assertThat(catalogue.resolve("SmolLM2-135M-Instruct.Q4_1.gguf")).isEqualTo(smol);
        assertThat(catalogue.resolve("q4")).isEqualTo(snapshot.resolve("q4.gguf"));
        assertThat(ModelName.of(snapshot)).isEqualTo("big/Model-7B");
        assertThat(ModelName.of(snapshot.resolve("q4.gguf"))).isEqualTo("big/Model-7B/q4");
        assertThat(ModelName.of(Path.of("/m/x-00001-of-00003.gguf"))).isEqualTo("x");
        assertThat(ModelName.revision(snapshot)).isEqualTo("new");
        assertThat(ModelName.revision(snapshot.resolve("q4.gguf"))).isEqualTo("new");
        assertThat(ModelName.revision(smol)).isEmpty();
    }

    @Test
    void whatIsNotFoundSaysWhereWasLookedAndWhatThereIs() {
        ModelCatalogue catalogue = ModelCatalogue.only(List.of(root));
        assertThatThrownBy(() -> catalogue.resolve("plein"))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessage("no model plein: no such path, and no such name in " + root
                        + "; they hold big/Model-7B, big/Model-7B/q4, org/inner, plain, SmolLM2-135M-Instruct.Q4_1:"
                        + " did you mean plain?");
        assertThatThrownBy(() -> catalogue.resolve("smolm2")).hasMessageEndingWith("did you mean smollm2?");
        assertThatThrownBy(() -> catalogue.resolve("/no/such/thing")).hasMessageNotContaining("did you mean");
        assertThatThrownBy(
                        () -> ModelCatalogue.only(List.of(root.resolve("org"))).resolve("smollm2"))
                .as("an alias of a file that is not here is no suggestion")
                .hasMessageStartingWith("no model smollm2: ")
                .hasMessageNotContaining("did you mean");
        assertThatThrownBy(() -> catalogue.resolve(" ")).hasMessage("no model is named: give a path or a name");
        assertThatThrownBy(() -> catalogue.resolve("a\0b")).isInstanceOf(ModelNotFoundException.class);
        assertThatThrownBy(() ->
                        ModelCatalogue.only(List.of(folder.resolve("none"))).resolve("x"))
                .hasMessageContaining("they hold no model");
    }

    @Test
    void aShortNameThatTwoHaveIsAskedForInFull() throws IOException {
        file("root/other/inner/config.json");
        ModelCatalogue catalogue = ModelCatalogue.only(List.of(root));
        assertThatThrownBy(() -> catalogue.resolve("inner"))
                .hasMessage("inner may be one of org/inner, other/inner: name one of them in full");
        assertThat(catalogue.resolve("other/inner")).isEqualTo(root.resolve("other/inner"));
    }

    @Test
    void aRestrictedCatalogueStaysInItsFolders() throws IOException {
        ModelCatalogue catalogue = ModelCatalogue.restrictedTo(List.of(root));
        assertThat(catalogue.resolve("plain")).isEqualTo(root.resolve("plain"));
        assertThat(catalogue.resolve(root.resolve("plain").toString())).isEqualTo(root.resolve("plain"));
        assertThat(catalogue.resolve("big/Model-7B")).isEqualTo(snapshot);
        assertThat(catalogue.resolve(snapshot.resolve("q4.gguf").toString())).isEqualTo(snapshot.resolve("q4.gguf"));

        Files.createSymbolicLink(root.resolve("link"), folder.resolve("outside"));
        Files.createSymbolicLink(root.resolve("plain/model.safetensors"), folder.resolve("outside/config.json"));
        for (String path : List.of(
                folder.resolve("outside").toString(),
                folder.resolve("none").toString(),
                root + "/../outside",
                "../outside",
                "link",
                "plain")) {
            assertThatThrownBy(() -> catalogue.resolve(path))
                    .isInstanceOf(ModelNotFoundException.class)
                    .hasMessageEndingWith(" is not in the model folders of this node (" + root
                            + "): put it there, or serve with --models");
        }
    }

    @Test
    void defaultFoldersComeFromTheEnvironment() {
        Path home = Path.of("/home/x");
        assertThat(ModelCatalogue.defaultRoots(Map.of(), home))
                .containsExactly(
                        Path.of("models"),
                        Path.of("notebooks/models"),
                        home.resolve(".espalier/models"),
                        home.resolve(".cache/huggingface/hub"));
        String two = "/a" + java.io.File.pathSeparator + "/b";
        assertThat(ModelCatalogue.defaultRoots(Map.of("ESPALIER_MODELS", two, "HF_HOME", "/hf"), home))
                .containsExactly(
                        Path.of("models"),
                        Path.of("notebooks/models"),
                        Path.of("/a"),
                        Path.of("/b"),
                        home.resolve(".espalier/models"),
                        Path.of("/hf/hub"));
    }
}
