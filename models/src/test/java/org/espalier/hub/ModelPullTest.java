package org.espalier.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.espalier.checkpoint.Golden;
import org.espalier.checkpoint.JsonFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a hub on loopback that behaves well, badly, and as if it meant harm. */
@Timeout(60)
class ModelPullTest {

    private static final String WEIGHTS = "model.safetensors";

    @TempDir
    Path cache;

    private final FakeHub hub = new FakeHub();
    private final byte[] weights = new byte[300_000];
    private final List<Duration> waits = new CopyOnWriteArrayList<>();
    private final List<PullProgress> progress = new CopyOnWriteArrayList<>();

    @BeforeEach
    void fill() {
        new Random(1).nextBytes(weights);
        hub.file("config.json", config().toString())
                .file("tokenizer.json", "{}")
                .file("README.md", "not a part of the model")
                .file("original/params.json", "{}")
                .large(WEIGHTS, weights)
                .large("consolidated.safetensors", new byte[100]);
    }

    private static ObjectNode config() {
        return JsonFile.read(Golden.tiny("llama-tiny").resolve("hf").resolve("config.json"));
    }

    @AfterEach
    void close() {
        hub.close();
    }

    private Path pull(String reference) {
        return pull(reference, Optional.empty());
    }

    private Path pull(String reference, Optional<String> token) {
        return pull(reference, token, Duration.ofMillis(400));
    }

    private Path pull(String reference, Optional<String> token, Duration silence) {
        HubSettings settings = new HubSettings(hub.address(), cache, token, HubSettings.Access.ONLINE);
        RetryPolicy retries = new RetryPolicy(4, Duration.ofSeconds(1), Duration.ofSeconds(30), waits::add);
        return new ModelPull(HubReference.parse(reference), settings, retries, silence).pull(progress::add);
    }

    private Path repository() {
        return cache.resolve("models--org--model");
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
    void theCacheLooksAsThePythonClientLeavesIt() throws IOException {
        Path snapshot = pull("org/model");
        assertThat(snapshot).isEqualTo(repository().resolve("snapshots").resolve(FakeHub.COMMIT));
        assertThat(names(snapshot)).containsExactly("config.json", WEIGHTS, "tokenizer.json");
        assertThat(Files.readSymbolicLink(snapshot.resolve(WEIGHTS)))
                .hasToString("../../blobs/" + FakeHub.hash("SHA-256", weights));
        assertThat(snapshot.resolve(WEIGHTS)).hasBinaryContent(weights);
        assertThat(Files.readSymbolicLink(snapshot.resolve("tokenizer.json")))
                .hasToString("../../blobs/" + FakeHub.gitHash("{}".getBytes(StandardCharsets.UTF_8)));
        assertThat(repository().resolve("refs").resolve("main")).hasContent(FakeHub.COMMIT);
        assertThat(names(repository().resolve("blobs"))).hasSize(3);
    }

    @Test
    void progressEndsWithEverything() {
        pull("org/model");
        PullProgress last = progress.get(progress.size() - 1);
        assertThat(last.done()).isEqualTo(last.total()).isGreaterThan(weights.length);
        assertThat(last.text()).contains("(100 %)").endsWith("0:00 left");
    }

    @Test
    void whatIsThereIsNotFetchedAgain() throws IOException {
        pull("org/model");
        hub.requests.clear();
        pull("org/model");
        assertThat(hub.requests).containsExactly("GET /api/models/org/model/revision/main - -");
    }

    @Test
    void anotherRevisionHasItsOwnRef() {
        pull("org/model@v1.0");
        assertThat(repository().resolve("refs").resolve("v1.0")).hasContent(FakeHub.COMMIT);
        assertThat(repository().resolve("refs").resolve("main")).doesNotExist();
    }

    @Test
    void shardsAreThoseThatTheIndexNames() throws IOException {
        hub.file(
                        "model.safetensors.index.json",
                        "{'weight_map':{'a':'m-1.safetensors','b':'m-2.safetensors'}}".replace('\'', '"'))
                .large("m-1.safetensors", new byte[] {1})
                .large("m-2.safetensors", new byte[] {2});
        assertThat(names(pull("org/model")))
                .containsExactly(
                        "config.json",
                        "m-1.safetensors",
                        "m-2.safetensors",
                        "model.safetensors.index.json",
                        "tokenizer.json");
    }

    @Test
    void aModelThatIsNotServedIsRefusedBeforeItsWeights() throws IOException {
        FakeHub other = new FakeHub();
        try (other) {
            other.file("config.json", config().put("model_type", "gemma3").toString())
                    .large(WEIGHTS, weights);
            HubSettings settings = new HubSettings(other.address(), cache, Optional.empty(), HubSettings.Access.ONLINE);
            assertThatThrownBy(() -> ModelPull.pull(HubReference.parse("org/model"), settings, PullListener.SILENT))
                    .isInstanceOf(HubException.class)
                    .hasMessageStartingWith(
                            "org/model is not supported, so its weights were not fetched: model_type gemma3");
            assertThat(other.requests).noneMatch(request -> request.contains(WEIGHTS));
            assertThat(repository().resolve("snapshots")).doesNotExist();
        }
    }

    // ---- connections that fail

    @Test
    void aConnectionThatIsCutGoesOnWhereItEnded() {
        hub.next(WEIGHTS, FakeHub.cutAfter(100_000)).next(WEIGHTS, FakeHub.cutAfter(50_000));
        assertThat(pull("org/model").resolve(WEIGHTS)).hasBinaryContent(weights);
        List<String> ranges = hub.requests.stream()
                .filter(request -> request.contains("/" + WEIGHTS))
                .map(request -> request.split(" ")[2])
                .toList();
        assertThat(ranges).hasSize(3).startsWith("-");
        assertThat(Integer.parseInt(ranges.get(1).replaceAll("\\D", ""))).isBetween(1, 100_000);
        assertThat(Integer.parseInt(ranges.get(2).replaceAll("\\D", ""))).isBetween(100_001, 150_000);
    }

    @Test
    void anEarlierRunIsGoneOnWith() throws IOException {
        Path blobs = Files.createDirectories(repository().resolve("blobs"));
        Files.write(blobs.resolve(FakeHub.hash("SHA-256", weights) + ".incomplete"), Arrays.copyOf(weights, 200_000));
        assertThat(pull("org/model").resolve(WEIGHTS)).hasBinaryContent(weights);
        assertThat(hub.requests).anyMatch(request -> request.contains(WEIGHTS + " bytes=200000-"));
        assertThat(progress.get(0).done()).isGreaterThan(200_000);
    }

    @Test
    void aServerThatIgnoresRangesBeginsAnew() {
        hub.next(WEIGHTS, FakeHub.cutAfter(100_000)).next(WEIGHTS, (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content);
        });
        assertThat(pull("org/model").resolve(WEIGHTS)).hasBinaryContent(weights);
        assertThat(progress.get(progress.size() - 1).done())
                .isEqualTo(progress.get(0).total());
    }

    @Test
    void aConnectionThatBringsNothingIsGivenUpAfterSomeTries() {
        for (int i = 0; i < 4; i++) {
            hub.next(WEIGHTS, FakeHub.cutAfter(0));
        }
        assertThatThrownBy(() -> pull("org/model"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("cannot fetch model.safetensors of org/model from " + hub.address())
                .hasMessageContaining("run it again to resume");
        assertThat(waits).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(4));
        assertThat(pull("org/model").resolve(WEIGHTS)).hasBinaryContent(weights);
    }

    @Test
    void aConnectionThatStallsIsOpenedAgain() {
        hub.next(WEIGHTS, (exchange, content) -> {
            FakeHub.answerHead(exchange, content);
            exchange.getResponseBody().write(content, 0, 1000);
            exchange.getResponseBody().flush();
            sleep(Duration.ofSeconds(20));
        });
        assertThat(pull("org/model").resolve(WEIGHTS)).hasBinaryContent(weights);
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void tooManyRequestsAreWaitedForAsLongAsTheServerSays() {
        hub.next("/revision/main", FakeHub.status(429, "Retry-After", "7"))
                .next("/revision/main", FakeHub.status(503))
                .next(WEIGHTS, FakeHub.status(429, "Retry-After", "100000"));
        pull("org/model");
        assertThat(waits).containsExactly(Duration.ofSeconds(7), Duration.ofSeconds(2), Duration.ofSeconds(30));
    }

    // ---- servers that lie

    @Test
    void aFileThatIsTooLongIsRefused() throws IOException {
        hub.next(WEIGHTS, (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length + 10);
            exchange.getResponseBody().write(content);
            exchange.getResponseBody().write(new byte[10]);
        });
        assertThatThrownBy(() -> pull("org/model"))
                .isInstanceOf(HubException.class)
                .hasMessage("model.safetensors of org/model is longer than the 300000 bytes that are expected: it was"
                        + " deleted, run it again");
        assertThat(names(repository().resolve("blobs")))
                .doesNotContain(FakeHub.hash("SHA-256", weights) + ".incomplete");
    }

    @Test
    void aFileThatEndsEarlyIsAskedForAgain() {
        hub.next(WEIGHTS, (exchange, content) -> {
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().write(content, 0, 1000);
        });
        assertThat(pull("org/model").resolve(WEIGHTS)).hasBinaryContent(weights);
    }

    @ParameterizedTest
    @ValueSource(strings = {WEIGHTS, "tokenizer.json"})
    void anotherContentIsRefused(String name) throws IOException {
        hub.next(name, (exchange, content) -> {
            byte[] other = content.clone();
            other[0] ^= 1;
            exchange.sendResponseHeaders(200, other.length);
            exchange.getResponseBody().write(other);
        });
        assertThatThrownBy(() -> pull("org/model"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining(name + " of org/model arrived with another hash than the ");
        assertThat(repository().resolve("snapshots")).doesNotExist();
        assertThat(pull("org/model").resolve(WEIGHTS)).hasBinaryContent(weights);
    }

    @Test
    void aRestThatBeginsElsewhereIsNotAppended() {
        hub.next(WEIGHTS, FakeHub.cutAfter(1000)).next(WEIGHTS, (exchange, content) -> {
            exchange.getResponseHeaders().add("Content-Range", "bytes 5-299999/300000");
            exchange.sendResponseHeaders(206, content.length);
            exchange.getResponseBody().write(content);
        });
        assertThat(pull("org/model").resolve(WEIGHTS)).hasBinaryContent(weights);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../evil.json",
                "tokenizer/../../../evil",
                "/etc/passwd",
                "a//b",
                "c:\\evil",
                "tokenizer\\..\\evil",
                "tokenizer\nevil",
                ""
            })
    void namesThatLeadOutOfTheFolderAreRefused(String name) {
        hub.sibling(name).put("size", 1).put("blobId", "0".repeat(40));
        assertThatThrownBy(() -> pull("org/model"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("which leads out of its folder");
        assertThat(cache.resolve("models--org--model").resolve("snapshots")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../evil", "", "xyz", "ABCDEF"})
    void hashesThatAreNoneAreRefused(String hash) {
        hub.sibling("tokenizer.model").put("size", 1).put("blobId", hash);
        assertThatThrownBy(() -> pull("org/model"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("expected a size and a SHA-256 or a git hash");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "[]", "{\"sha\":\"..\",\"siblings\":[]}", "not json", ""})
    void anAnswerThatIsNoListIsAnError(String answer) {
        for (int i = 0; i < 4; i++) {
            hub.next("/revision/main", (exchange, content) -> {
                byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
                exchange.getResponseBody().write(bytes);
            });
        }
        assertThatThrownBy(() -> pull("org/model")).isInstanceOf(HubException.class);
    }

    // ---- who may have what

    @ParameterizedTest
    @CsvSource({
        "401, '', 'there is no public model org/model'",
        "403, GatedRepo, 'org/model is given only to those who accepted its terms, and no token is set'",
        "404, RevisionNotFound, 'org/model has no revision main'",
        "404, '', 'there is no org/model at'",
        "500, '', 'it is in trouble, try again later'",
        "429, '', 'set HF_TOKEN for a higher limit'",
        "418, '', 'the hub answers 418'"
    })
    void refusalsSayWhatToDo(int status, String code, String message) {
        for (int i = 0; i < 4; i++) {
            hub.next("/revision/main", FakeHub.status(status, "X-Error-Code", code));
        }
        assertThatThrownBy(() -> pull("org/model"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining(message);
    }

    @Test
    void theTokenGoesToTheHubAndNowhereElse() throws IOException {
        try (FakeHub storage = new FakeHub()) {
            storage.large(WEIGHTS, weights);
            hub.next(
                    WEIGHTS,
                    FakeHub.status(
                            302,
                            "Location",
                            storage.address() + "/org/model/resolve/" + FakeHub.COMMIT + "/" + WEIGHTS));
            assertThat(pull("org/model", Optional.of("secret")).resolve(WEIGHTS))
                    .hasBinaryContent(weights);
            assertThat(hub.requests).allMatch(request -> request.endsWith(" Bearer secret"));
            assertThat(storage.requests).hasSize(1).allMatch(request -> request.endsWith(" -"));
        }
    }

    @Test
    void aCircleOfRedirectsEnds() {
        for (int i = 0; i < 20; i++) {
            hub.next("/revision/main", FakeHub.status(302, "Location", "/api/models/org/model/revision/main"));
        }
        assertThatThrownBy(() -> pull("org/model"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("more than 10 times");
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:///etc/passwd", "ftp://example.org/x", "http://", "::"})
    void redirectsLeadToTheWebOnly(String target) {
        hub.next("/revision/main", FakeHub.status(302, "Location", target));
        assertThatThrownBy(() -> pull("org/model")).isInstanceOf(HubException.class);
    }

    @Test
    void aHubThatCannotBeReachedIsSaidAtOnce() {
        hub.close();
        assertThatThrownBy(() -> pull("org/model"))
                .isInstanceOf(HubException.class)
                .hasMessage("cannot reach " + hub.address()
                        + ": check the network, or HF_ENDPOINT; a model that is here" + " already needs no hub");
        assertThat(waits).isEmpty();
    }

    @Test
    void nothingIsFetchedOffline() {
        HubSettings offline = new HubSettings(hub.address(), cache, Optional.empty(), HubSettings.Access.OFFLINE);
        assertThatThrownBy(() -> ModelPull.pull(HubReference.parse("org/model"), offline, PullListener.SILENT))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("fetching is switched off");
        assertThat(hub.requests).isEmpty();
    }

    @Test
    void aDiskWithoutRoomIsSaidBeforehand() {
        hub.sibling("tokenizer.model")
                .putObject("lfs")
                .put("sha256", "0".repeat(64))
                .put("size", 1L << 60);
        assertThatThrownBy(() -> pull("org/model"))
                .isInstanceOf(HubException.class)
                .hasMessageMatching(
                        "org/model needs 115292\\d+\\.\\d GB more, .* GB free: make room, or set HF_HUB_CACHE.*");
        assertThat(hub.requests).noneMatch(request -> request.contains(WEIGHTS));
    }

    @Test
    void anInterruptStopsItAndLeavesWhatCame() throws Exception {
        hub.next(WEIGHTS, (exchange, content) -> {
            FakeHub.answerHead(exchange, content);
            exchange.getResponseBody().write(content, 0, 200_000);
            exchange.getResponseBody().flush();
            sleep(Duration.ofSeconds(20));
        });
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        Thread pulling = new Thread(() -> {
            try {
                pull("org/model", Optional.empty(), Duration.ofSeconds(20));
            } catch (HubException e) {
                failures.add(e);
            }
        });
        pulling.start();
        while (pulling.isAlive() && progress.stream().noneMatch(p -> p.done() > 100_000)) {
            Thread.sleep(5);
        }
        pulling.interrupt();
        pulling.join(10_000);
        assertThat(failures).hasSize(1);
        assertThat(failures.get(0)).hasMessage("fetching org/model was interrupted: run it again to resume");
        assertThat(pull("org/model").resolve(WEIGHTS)).hasBinaryContent(weights);
    }
}
