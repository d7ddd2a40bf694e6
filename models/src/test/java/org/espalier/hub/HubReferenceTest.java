package org.espalier.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubReferenceTest {

    @Test
    void nameRevisionAndFile() {
        assertThat(HubReference.parse("org/model")).isEqualTo(new HubReference("org/model", "main", Optional.empty()));
        assertThat(HubReference.parse("org/Model-1.5@refs/pr/1:Q4_K_M"))
                .isEqualTo(new HubReference("org/Model-1.5", "refs/pr/1", Optional.of("Q4_K_M")))
                .hasToString("org/Model-1.5@refs/pr/1:Q4_K_M");
    }

    @Test
    void aFileIsNoReference() {
        assertThat(HubReference.looksLikeOne("org/model:q.gguf")).isTrue();
        assertThat(HubReference.looksLikeOne("models/q.gguf")).isFalse();
        assertThat(HubReference.looksLikeOne("./org/model")).isFalse();
        assertThat(HubReference.looksLikeOne("smollm2")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "model",
                "a/b/c",
                "../b",
                "a/..",
                "a/b@../x",
                "a/b@",
                "a/b:",
                "a b/c",
                "a/b--c",
                "/a/b",
                "~/b"
            })
    void othersAreRefused(String text) {
        assertThatThrownBy(() -> HubReference.parse(text))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("expected ORG/NAME");
    }

    @Test
    void settingsAreThoseOfThePythonClient(@TempDir Path home) throws IOException {
        HubSettings plain = HubSettings.of(Map.of(), home);
        assertThat(plain.endpoint()).isEqualTo(URI.create("https://huggingface.co"));
        assertThat(plain.cache()).isEqualTo(home.resolve(".cache/huggingface/hub"));
        assertThat(plain.token()).isEmpty();
        assertThat(plain.access()).isEqualTo(HubSettings.Access.ONLINE);

        Path hubHome = Files.createDirectories(home.resolve("hf"));
        Files.writeString(hubHome.resolve("token"), "from-file\n");
        Map<String, String> other =
                Map.of("HF_HOME", hubHome.toString(), "HF_ENDPOINT", "http://localhost:8080/", "HF_HUB_OFFLINE", "1");
        HubSettings settings = HubSettings.of(other, home);
        assertThat(settings)
                .isEqualTo(new HubSettings(
                        URI.create("http://localhost:8080"),
                        hubHome.resolve("hub"),
                        Optional.of("from-file"),
                        HubSettings.Access.OFFLINE));
        assertThat(HubSettings.of(Map.of("HF_TOKEN", "own", "HF_HOME", hubHome.toString()), home)
                        .token())
                .contains("own");
        assertThat(HubSettings.of(Map.of("HF_HUB_CACHE", "/x", "HF_HUB_OFFLINE", "0"), home)
                        .cache())
                .isEqualTo(Path.of("/x"));
        assertThatThrownBy(() -> HubSettings.of(Map.of("HF_ENDPOINT", "huggingface"), home))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("expected an address");
    }
}
