package org.espalier.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.EspalierException;
import org.espalier.checkpoint.Golden;
import org.espalier.checkpoint.HeaderHash;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What one machine says of a model, and what another finds by it. */
class ModelIdentityTest {

    private static final String NO_HASH = "0".repeat(64);

    @TempDir
    Path folder;

    private Path root;
    private Path mine;

    @BeforeEach
    void twoMachines() throws IOException {
        mine = copy("llama-tiny/hf", folder.resolve("client/small"));
        root = folder.resolve("node");
        Files.createDirectories(root);
    }

    /** Files as they are published, without links. */
    private static Path copy(String golden, Path target) throws IOException {
        Files.createDirectories(target);
        try (Stream<Path> files = Files.list(Golden.tiny(golden))) {
            for (Path file : files.toList()) {
                Files.copy(file, target.resolve(file.getFileName()));
            }
        }
        return target;
    }

    private Path found(ModelIdentity identity) {
        return found(ModelCatalogue.restrictedTo(List.of(root)), identity);
    }

    private static Path found(ModelCatalogue catalogue, ModelIdentity identity) {
        try (Model model = catalogue.open(identity)) {
            return model.path();
        }
    }

    @Test
    void anotherMachineFindsTheSameFilesBelowItsOwnFolders() throws IOException {
        ModelIdentity identity = ModelIdentity.of(mine);
        assertThat(identity.name()).isEqualTo("small");
        assertThat(identity.revision()).isEmpty();
        assertThat(identity.path()).isEqualTo(mine.toString());
        Path theirs = copy("llama-tiny/hf", root.resolve("org/small"));
        assertThat(found(identity)).isEqualTo(theirs);
        assertThat(ModelIdentity.of(theirs)).isEqualTo(identity).hasSameHashCodeAs(identity);
    }

    @Test
    void ofTwoModelsOfOneNameTheHashChooses() throws IOException {
        copy("deepseek_v3-tiny/hf", root.resolve("a/small"));
        Path theirs = copy("llama-tiny/hf", root.resolve("b/small"));
        assertThat(found(ModelIdentity.of(mine))).isEqualTo(theirs);
    }

    @Test
    void anotherFileOfThatNameIsRefusedWithBothHashes() throws IOException {
        Path theirs = copy("deepseek_v3-tiny/hf", root.resolve("small"));
        assertThatThrownBy(() -> found(ModelIdentity.of(mine)))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessage("another model has the name small here: expected hash "
                        + HeaderHash.of(mine).substring(0, 16) + ", found hash "
                        + HeaderHash.of(theirs).substring(0, 16) + " in " + theirs + "; copy the same files");
    }

    @Test
    void whatIsNotThereSaysWhereWasLooked() throws IOException {
        copy("deepseek_v3-tiny/hf", root.resolve("other"));
        assertThatThrownBy(() -> found(ModelIdentity.of(mine)))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessage("no model small: looked in " + root + "; they hold other; copy the same files into one of"
                        + " these folders");
    }

    @Test
    void aRevisionOfTheHubIsFoundBesideTheCurrentOneAndDecides() throws IOException {
        Path mineOfHub = copy("llama-tiny/hf", folder.resolve("client/models--org--m/snapshots/old"));
        copy("llama-tiny/hf", root.resolve("models--org--m/snapshots/new"));
        Files.createDirectories(root.resolve("models--org--m/refs"));
        Files.writeString(root.resolve("models--org--m/refs/main"), "new");
        ModelIdentity identity = ModelIdentity.of(mineOfHub);
        assertThat(identity.name()).isEqualTo("org/m");
        assertThat(identity.revision()).isEqualTo("old");
        String hash = HeaderHash.of(mineOfHub).substring(0, 16);
        assertThatThrownBy(() -> found(identity)) // the same headers may lie over other weights
                .hasMessageContaining("expected hash " + hash + ", revision old, found hash " + hash + ", revision new")
                .hasMessageEndingWith("fetch it with `espalier-node pull org/m@old`, or copy the same files");
        Path old = copy("llama-tiny/hf", root.resolve("models--org--m/snapshots/old"));
        assertThat(found(identity)).isEqualTo(old);
    }

    @Test
    void filesOfNoKnownRevisionGoByTheirHash() throws IOException {
        Path mineOfHub = copy("llama-tiny/hf", folder.resolve("client/models--org--m/snapshots/old"));
        Path copied = copy("llama-tiny/hf", root.resolve("org/m"));
        assertThat(found(ModelIdentity.of(mineOfHub))).isEqualTo(copied);
    }

    @Test
    void aQuantizationInAFolderOfItsOwnIsFound() throws IOException {
        Path gguf = Golden.tiny("llama_gguf-tiny/gguf/model.gguf");
        Path here = folder.resolve("client/models--org--m/snapshots/r/Q4/m-Q4.gguf");
        Path there = root.resolve("models--org--m/snapshots/r/Q4/m-Q4.gguf");
        for (Path target : List.of(here, there)) {
            Files.createDirectories(target.getParent());
            Files.copy(gguf, target);
        }
        ModelIdentity identity = ModelIdentity.of(here);
        assertThat(identity.name()).isEqualTo("org/m/m-Q4");
        assertThat(identity.onTheHub()).isEqualTo("org/m@r:m-Q4");
        assertThat(found(identity)).isEqualTo(there);
    }

    @Test
    void aPathOutsideItsFoldersIsReadOnlyByWhomMayReadWhatTheUserMay() throws IOException {
        ModelIdentity identity = ModelIdentity.of(mine);
        assertThat(found(ModelCatalogue.only(List.of(root)), identity)).isEqualTo(mine);
        assertThatThrownBy(() -> found(identity)).isInstanceOf(ModelNotFoundException.class);

        Files.delete(mine.resolve("model.safetensors"));
        Files.writeString(mine.resolve("model.safetensors.index.json"), "{}");
        assertThatThrownBy(() -> found(ModelCatalogue.only(List.of(root)), identity)) // the path's files count too
                .hasMessageContaining("expected hash " + identity.hash().substring(0, 16) + ", found hash "
                        + HeaderHash.of(mine).substring(0, 16) + " in " + mine);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "..",
                "../client/small",
                "../../client/small",
                "/etc/passwd",
                "link",
                "org/link",
                "small/../../client/small",
                "~/small",
                "C:\\models\\small",
                "%2e%2e/client/small",
                "models--..--client/small"
            })
    void noNameLeadsARestrictedCatalogueOutOfItsFolders(String name) throws IOException {
        Files.createSymbolicLink(root.resolve("link"), mine);
        Files.createDirectories(root.resolve("org"));
        Files.createSymbolicLink(root.resolve("org/link"), mine);
        String hash = HeaderHash.of(mine);
        for (String revision : List.of("", "..", "../../client")) {
            for (String path : List.of("", mine.toString(), root + "/../client/small", root + "/link")) {
                assertThatThrownBy(() -> found(new ModelIdentity(name, revision, hash, path)))
                        .isInstanceOf(ModelNotFoundException.class);
            }
        }
    }

    @Test
    void aModelWhoseFilesAreLinksOutOfTheFoldersIsRefused() throws IOException {
        Path theirs = Files.createDirectories(root.resolve("small"));
        Files.copy(mine.resolve("config.json"), theirs.resolve("config.json"));
        Files.createSymbolicLink(theirs.resolve("model.safetensors"), mine.resolve("model.safetensors"));
        assertThatThrownBy(() -> found(ModelIdentity.of(mine)))
                .hasMessageContaining(theirs + " is not in the model folders of this node");
    }

    @Test
    void aPartThatIsALinkOutOfTheFoldersIsRefused() throws IOException {
        Files.createFile(root.resolve("x-00001-of-00002.gguf"));
        Files.createFile(root.resolve("y.gguf"));
        Files.createSymbolicLink(root.resolve("x-00002-of-00002.gguf"), mine.resolve("model.safetensors"));
        ModelCatalogue catalogue = ModelCatalogue.restrictedTo(List.of(root));
        assertThatThrownBy(() -> catalogue.resolve("x"))
                .hasMessageContaining("x-00001-of-00002.gguf is not in the model folders of this node");
        assertThat(catalogue.resolve("y")).isEqualTo(root.resolve("y.gguf"));
    }

    @Test
    void wordsThatAreNotAnIdentityAreRefused() {
        for (String name : List.of("a\0b", "a\nb", "x".repeat(513), "", " ")) {
            assertThatThrownBy(() -> new ModelIdentity(name, "", NO_HASH, "")).isInstanceOf(EspalierException.class);
        }
        assertThatThrownBy(() -> new ModelIdentity("x".repeat(100_000), "", NO_HASH, ""))
                .hasMessage(
                        "a model's name has 100000 characters, at most 512 are allowed: give the model a shorter one");
        assertThatThrownBy(() -> new ModelIdentity("m", "\0", NO_HASH, "")).isInstanceOf(EspalierException.class);
        assertThatThrownBy(() -> new ModelIdentity("m", "", NO_HASH, "/a\0")).isInstanceOf(EspalierException.class);
        for (String hash : List.of("", "abc", NO_HASH + "0", "G".repeat(64))) {
            assertThatThrownBy(() -> new ModelIdentity("m", "", hash, ""))
                    .hasMessage("the hash of model m is not 64 lowercase hexadecimal digits: client and node are of"
                            + " different versions");
        }
    }
}
