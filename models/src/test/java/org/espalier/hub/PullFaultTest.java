package org.espalier.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.espalier.checkpoint.Golden;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Hubs that fall silent, several who fetch the same, disks that take nothing. */
@Timeout(60)
class PullFaultTest {

    private static final String WEIGHTS = "model.safetensors";
    private static final String LIST = "/revision/main";

    @TempDir
    Path cache;

    private final FakeHub hub = new FakeHub();
    private final byte[] weights = new byte[300_000];
    private final List<Duration> waits = new CopyOnWriteArrayList<>();
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);

    @BeforeEach
    void fill() throws IOException {
        new Random(1).nextBytes(weights);
        hub.file(
                        "config.json",
                        Files.readString(Golden.tiny("llama-tiny").resolve("hf").resolve("config.json")))
                .large(WEIGHTS, weights);
    }

    @AfterEach
    void close() {
        released.countDown();
        hub.close();
    }

    private Path pull(Duration stall) {
        HubSettings settings = new HubSettings(hub.address(), cache, Optional.empty(), HubSettings.Access.ONLINE);
        RetryPolicy retries = new RetryPolicy(4, Duration.ofSeconds(1), Duration.ofSeconds(30), waits::add);
        return new ModelPull(HubReference.parse("org/model"), settings, retries, stall).pull(PullListener.SILENT);
    }

    private Path pull() {
        return pull(Duration.ofSeconds(30));
    }

    private Path blob(String suffix) {
        return cache.resolve("models--org--model").resolve("blobs").resolve(FakeHub.hash("SHA-256", weights) + suffix);
    }

    /** Sends the head, and the rest when it is released. */
    private FakeHub.Answer held(int first) {
        return (exchange, content) -> {
            int[] range = FakeHub.answerHead(exchange, content.length == 0 ? new byte[100] : content);
            exchange.getResponseBody().write(content, range[0], first);
            exchange.getResponseBody().flush();
            begun.countDown();
            try {
                released.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            exchange.getResponseBody().write(content, range[0] + first, range[1] - range[0] - first);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {LIST, "config.json", WEIGHTS})
    void aHubThatFallsSilentAfterItsHeadersIsAskedAgain(String what) {
        hub.next(what, held(0));
        assertThat(pull(Duration.ofMillis(300)).resolve(WEIGHTS)).hasBinaryContent(weights);
        assertThat(waits).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {LIST, "config.json", WEIGHTS})
    void anInterruptEndsTheWaitForASilentHub(String what) throws Exception {
        hub.next(what, held(0));
        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        Thread pulling = new Thread(() -> failure.complete(catchThrowable(this::pull)));
        pulling.start();
        assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
        pulling.interrupt();
        assertThat(failure.get(20, TimeUnit.SECONDS))
                .isInstanceOf(HubException.class)
                .hasMessage("fetching org/model was interrupted: run it again to resume");
    }

    @Test
    void aGgufFilesHeaderIsNotWaitedForEither() {
        FakeHub other = new FakeHub();
        try (other) {
            other.large("m.gguf", "GGUF but nothing that could be served".getBytes())
                    .next("m.gguf", (exchange, content) -> {
                        FakeHub.answerHead(exchange, content);
                        exchange.getResponseBody().flush();
                        try {
                            released.await();
                        } catch (InterruptedException e) {
                            throw new IOException(e);
                        }
                    });
            HubSettings settings = new HubSettings(other.address(), cache, Optional.empty(), HubSettings.Access.ONLINE);
            RetryPolicy retries = new RetryPolicy(4, Duration.ofSeconds(1), Duration.ofSeconds(30), waits::add);
            catchThrowable(
                    () -> new ModelPull(HubReference.parse("org/model"), settings, retries, Duration.ofMillis(300))
                            .pull(PullListener.SILENT));
            assertThat(waits).hasSize(1);
        }
    }

    @Test
    void whoComesWhileAnotherFetchesIsRefusedHoweverOften() throws Exception {
        hub.next(WEIGHTS, held(100_000));
        CompletableFuture<Path> first = CompletableFuture.supplyAsync(this::pull);
        assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(this::pull)
                    .isInstanceOf(HubException.class)
                    .hasMessage("model.safetensors of org/model is being fetched already: wait until that is done");
        }
        released.countDown();
        assertThat(first.get(20, TimeUnit.SECONDS).resolve(WEIGHTS)).hasBinaryContent(weights);
        assertThat(hub.requests)
                .filteredOn(request -> request.contains(WEIGHTS))
                .hasSize(1);
    }

    /** Another process has the lock, and nothing of this one knows of it. */
    @Test
    void whoComesWhileAnotherProcessFetchesIsRefusedHoweverOften() throws Exception {
        hub.next(WEIGHTS, held(100_000));
        Process first = PullProgram.start(hub.address(), cache);
        try {
            assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
            Path lock = cache.resolve(".locks")
                    .resolve("models--org--model")
                    .resolve(FakeHub.hash("SHA-256", weights) + ".lock");
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(this::pull)
                        .isInstanceOf(HubException.class)
                        .hasMessage("model.safetensors of org/model is being fetched already: wait until that is done");
                assertThat(lock).exists();
            }
            released.countDown();
            assertThat(first.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(first.exitValue()).isZero();
            assertThat(lock).exists(); // whoever waits for it has it open
            assertThat(blob("")).hasBinaryContent(weights);
            assertThat(blob(".incomplete")).doesNotExist();
            assertThat(hub.requests)
                    .filteredOn(request -> request.contains(WEIGHTS))
                    .hasSize(1);
        } finally {
            first.destroyForcibly();
        }
    }

    @Test
    void aFileThatAnotherProgramWritesToIsNotGivenItsName() throws Exception {
        hub.next(WEIGHTS, held(100_000));
        CompletableFuture<Throwable> first = CompletableFuture.supplyAsync(() -> catchThrowable(this::pull));
        assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
        Files.write(blob(".incomplete"), new byte[10], StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        released.countDown();
        assertThat(first.get(20, TimeUnit.SECONDS))
                .isInstanceOf(HubException.class)
                .hasMessage("model.safetensors of org/model was written by another program at the same time: it was"
                        + " deleted, run it again");
        assertThat(blob("")).doesNotExist();
        assertThat(pull().resolve(WEIGHTS)).hasBinaryContent(weights);
    }

    @Test
    void aDiskThatIsFullIsSaidAtOnce() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "this system has no /dev/full");
        Files.createDirectories(blob("").getParent());
        Files.createSymbolicLink(blob(".incomplete"), full);
        assertThatThrownBy(this::pull)
                .isInstanceOf(HubException.class)
                .hasMessageMatching("cannot write org/model into " + cache + ": No space left on device; 0\\.3 MB are"
                        + " still to come, [0-9.]+ [GM]B are free; what was fetched is kept: make room and run it again"
                        + " to resume");
        assertThat(waits).isEmpty();
        assertThat(hub.requests)
                .filteredOn(request -> request.contains(WEIGHTS))
                .hasSize(1);
    }
}
