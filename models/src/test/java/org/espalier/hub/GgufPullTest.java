package org.espalier.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.espalier.checkpoint.Golden;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Repositories with GGUF files: which of them is the model. */
@Timeout(60)
class GgufPullTest {

    @TempDir
    Path cache;

    private final FakeHub hub = new FakeHub();

    @AfterEach
    void close() {
        hub.close();
    }

    private Path pull(String reference) {
        return pull(reference, HubSettings.Access.ONLINE);
    }

    private Path pull(String reference, HubSettings.Access access) {
        HubSettings settings = new HubSettings(hub.address(), cache, Optional.empty(), access);
        RetryPolicy retries = new RetryPolicy(2, Duration.ofSeconds(1), Duration.ofSeconds(30), wait -> {});
        return new ModelPull(HubReference.parse(reference), settings, retries, Duration.ofSeconds(5))
                .pull(PullListener.SILENT);
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> !Files.isDirectory(file))
                    .map(file -> folder.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void whatWasFetchedIsFoundWithoutAHub() throws IOException {
        Path config = Golden.tiny("llama-tiny").resolve("hf").resolve("config.json");
        hub.file("config.json", Files.readString(config)).large("model.safetensors", new byte[] {1});
        hub.large("Q8_0/m-Q8_0-00001-of-00002.gguf", gguf("llama"))
                .large("Q8_0/m-Q8_0-00002-of-00002.gguf", new byte[] {1});
        Path folder = pull("org/model");
        Path file = pull("org/model:Q8_0");
        hub.close();
        assertThat(pull("org/model")).isEqualTo(folder);
        assertThat(pull("org/model:Q8_0")).isEqualTo(file);
        assertThat(pull("org/model:Q8_0", HubSettings.Access.OFFLINE)).isEqualTo(file);
        assertThatThrownBy(() -> pull("org/model:Q4_0"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("has no GGUF file Q4_0");
    }

    private static byte[] gguf(String architecture) {
        byte[] key = "general.architecture".getBytes(StandardCharsets.UTF_8);
        byte[] value = architecture.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes =
                ByteBuffer.allocate(24 + 8 + key.length + 4 + 8 + value.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put("GGUF".getBytes(StandardCharsets.UTF_8)).putInt(3).putLong(0).putLong(1);
        bytes.putLong(key.length).put(key).putInt(8).putLong(value.length).put(value);
        return bytes.array();
    }

    @Test
    void oneGgufOfSeveralIsFetchedByItsQuantization() throws IOException {
        hub.large("m-Q4_K.gguf", gguf("llama"))
                .large("m-Q4_K_M.gguf", gguf("qwen2"))
                .large("mmproj-F16.gguf", gguf("clip"));
        Path file = pull("org/model:q4_k_m");
        assertThat(file.getFileName()).hasToString("m-Q4_K_M.gguf");
        assertThat(names(file.getParent())).containsExactly("m-Q4_K_M.gguf");
        assertThat(pull("org/model:m-Q4_K.gguf").getFileName()).hasToString("m-Q4_K.gguf");
    }

    @Test
    void allPartsOfASplitFileAreFetched() throws IOException {
        hub.large("Q8_0/m-Q8_0-00001-of-00002.gguf", gguf("llama"))
                .large("Q8_0/m-Q8_0-00002-of-00002.gguf", new byte[] {1});
        Path file = pull("org/model:Q8_0");
        assertThat(file).hasToString(file.getParent() + "/m-Q8_0-00001-of-00002.gguf");
        assertThat(names(file.getParent())).hasSize(2);
        assertThat(Files.readSymbolicLink(file))
                .hasToString("../../../blobs/" + FakeHub.hash("SHA-256", gguf("llama")));
    }

    @Test
    void anAmbiguousQuantizationListsWhatThereIs() {
        hub.large("m-Q4_K_M.gguf", gguf("llama")).large("m-Q8_0.gguf", gguf("llama"));
        assertThatThrownBy(() -> pull("org/model:gguf"))
                .isInstanceOf(HubException.class)
                .hasMessage("org/model holds several GGUF files: say which, for instance org/model:m-Q4_K_M.gguf; there"
                        + " are m-Q4_K_M.gguf, m-Q8_0.gguf");
        assertThatThrownBy(() -> pull("org/model:Q5_0"))
                .isInstanceOf(HubException.class)
                .hasMessage("org/model has no GGUF file Q5_0; it has m-Q4_K_M.gguf, m-Q8_0.gguf");
    }

    @Test
    void aGgufThatIsNotServedIsRefusedByItsFirstBytes() throws IOException {
        hub.large("m-Q4_K_M.gguf", gguf("mamba"));
        assertThatThrownBy(() -> pull("org/model:Q4_K_M"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("is of the GGUF architecture mamba, which is not supported");
        hub.large("other-Q8_0.gguf", new byte[50]);
        assertThatThrownBy(() -> pull("org/model:Q8_0"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("is not a GGUF file");
        assertThat(names(cache)).isEmpty();
    }
}
