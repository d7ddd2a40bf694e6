package org.espalier.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.model.ModelCatalogue;
import org.espalier.model.ModelNotFoundException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubCatalogueTest {

    @TempDir
    Path root;

    private final List<String> asked = new ArrayList<>();
    private final List<Path> fetched = new ArrayList<>();
    private HubException failure;

    private final PullListener listener = new PullListener() {
        @Override
        public void onProgress(PullProgress progress) {}

        @Override
        public void onFetched(Path path) {
            fetched.add(path);
        }
    };

    private Path resolve(String name) {
        return new HubCatalogue(ModelCatalogue.restrictedTo(List.of(root)), (reference, progress) -> {
                    asked.add(reference.toString());
                    if (failure != null) {
                        throw failure;
                    }
                    return root.resolve("fetched");
                })
                .resolve(name, listener);
    }

    @Test
    void fetchesOnlyWhatIsNotHere() throws IOException {
        Path here = Files.createDirectories(root.resolve("org/here"));
        Files.createFile(here.resolve("config.json"));
        assertThat(resolve("org/here")).isEqualTo(here);
        assertThat(asked).isEmpty();
        assertThat(fetched).isEmpty();

        assertThat(resolve("org/there@v2")).isEqualTo(root.resolve("fetched"));
        assertThat(asked).containsExactly("org/there@v2");
        assertThat(fetched).containsExactly(root.resolve("fetched"));
    }

    @Test
    void asksTheHubForNothingThatIsNoNameThere() {
        assertThatThrownBy(() -> resolve("nowhere")).isInstanceOf(ModelNotFoundException.class);
        assertThatThrownBy(() -> resolve("a/b/c")).isInstanceOf(ModelNotFoundException.class);
        assertThat(asked).isEmpty();
    }

    @Test
    void saysBothWhenNeitherHereNorWithinReach() {
        failure = new HubException("nothing answers at http://hub", new ConnectException());
        assertThatThrownBy(() -> resolve("org/there"))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageStartingWith("no model org/there: ")
                .hasMessageEndingWith(", but: nothing answers at http://hub");
        failure = new HubException("org/there is not supported");
        assertThatThrownBy(() -> resolve("org/there")).isSameAs(failure);
    }
}
