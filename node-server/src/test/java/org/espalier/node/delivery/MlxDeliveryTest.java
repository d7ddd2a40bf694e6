package org.espalier.node.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.espalier.engine.EngineException;
import org.espalier.hub.PackageFile;
import org.espalier.hub.PullListener;
import org.espalier.hub.Sha256;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A wheel from an index on loopback; for a library that passes stands the cpu engine's, for one that does not whatever fails in that way. */
@Timeout(120)
class MlxDeliveryTest {

    private static final String NAME = "mlx_cpu-9.9.9-py3-none-any.whl";
    private static final Path CPU = Path.of("../native-metal/target/c", System.mapLibraryName("espalier-cpu"))
            .toAbsolutePath();
    private static final String OK = "the library of this build";

    /** Where a test is not of the self-test: it takes a second. */
    private static final SelfTestProcess PASSES =
            new SelfTestProcess(List.of("echo", "espalier self-test passed: on"), Duration.ofSeconds(20));

    private static final SelfTestProcess REAL = new SelfTestProcess(SelfTestProcess.java(), Duration.ofSeconds(60));

    @TempDir
    Path folder;

    private byte[] wheel = zip("mlx/lib/libmlx.so", "mlx/include/mlx/mlx.h", "mlx_cpu-9.9.9.dist-info/RECORD");
    private PackageIndex index = new PackageIndex(NAME, wheel);
    private SelfTestProcess selfTest = PASSES;
    private final List<String> lines = new ArrayList<>();

    @BeforeEach
    void requireEngine() {
        assumeTrue(Files.exists(CPU), "there is no cpu engine");
    }

    @AfterEach
    void close() {
        index.close();
    }

    private static byte[] zip(String... names) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (String name : names) {
                zip.putNextEntry(new ZipEntry(name));
                zip.write(new byte[100_000]);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return bytes.toByteArray();
    }

    private void wheelOf(byte[] other) {
        index.close();
        wheel = other;
        index = new PackageIndex(NAME, wheel);
    }

    private static String sha256(byte[] bytes) throws IOException {
        return Sha256.of(new ByteArrayInputStream(bytes));
    }

    private MlxDelivery delivery(String sha256, Path prebuilt, Map<String, String> compiler) throws IOException {
        MlxWheel pinned = new MlxWheel("test-cpu", "0", new PackageFile(NAME, wheel.length, sha256));
        List<ShimMaker> makers = List.of(
                new PrebuiltShim(prebuilt == null ? null : url(prebuilt)),
                new BuiltShim("/delivery-source/", compiler, Duration.ofSeconds(20)));
        return new MlxDelivery(pinned, index.address(), folder, makers, selfTest);
    }

    private static URL url(Path file) throws MalformedURLException {
        return file.toUri().toURL();
    }

    private MlxDelivery delivery(Path prebuilt) throws IOException {
        return delivery(sha256(wheel), prebuilt, Map.of("CXX", "no-compiler-of-this-name"));
    }

    /** With the functions in {@code source}. */
    private Path library(String source) throws IOException, InterruptedException {
        Path text = Files.writeString(folder.resolve("library.c"), source);
        Path file = folder.resolve("library.so");
        Process compiler;
        try {
            compiler = new ProcessBuilder("cc", "-shared", "-fPIC", "-o", file.toString(), text.toString())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            assumeTrue(false, "there is no C compiler: " + e.getMessage());
            return file;
        }
        String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(compiler.waitFor()).as(said).isZero();
        return file;
    }

    private List<String> left() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith("library."))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void itIsFetchedUnpackedTriedAndThenThere() throws IOException {
        selfTest = REAL;
        MlxDelivery delivery = delivery(CPU);
        assertThat(delivery.passed()).isEmpty();
        assertThat(delivery.what()).isEqualTo("MLX 9.9.9 (" + NAME + ")");
        Passed passed = delivery.deliver(progress -> lines.add(progress.text()));
        assertThat(passed.what()).isEqualTo(OK);
        assertThat(passed.device()).isNotBlank();
        assertThat(lines.get(lines.size() - 1)).contains("(100 %)");
        assertThat(delivery.home().shim()).hasSameBinaryContentAs(CPU);
        assertThat(delivery.home().folder()).isEqualTo(folder.resolve("9.9.9-test-cpu"));
        assertThat(delivery.home().libraries().resolve("libmlx.so")).hasSize(100_000);
        assertThat(delivery.home().folder().resolve("mlx_cpu-9.9.9.dist-info")).doesNotExist();
        assertThat(left()).containsExactly("9.9.9-test-cpu", "9.9.9-test-cpu.lock");
        assertThat(delivery(CPU).passed()).contains(passed);
        assertThat(delivery(CPU).deliver(PullListener.SILENT)).isEqualTo(passed);
        assertThat(index.requests).containsExactly(0);
    }

    /** What passed elsewhere, or before this program was replaced, is tried again; the wheel stays. */
    @Test
    void anotherSystemOrLibraryIsTriedAgain() throws IOException {
        MlxDelivery delivery = delivery(CPU);
        Passed passed = delivery.deliver(PullListener.SILENT);
        new Passed(passed.device(), passed.experts(), passed.what(), passed.version(), "Mac OS X 26.1 aarch64")
                .write(delivery.home());
        assertThat(delivery.passed()).isEmpty();
        assertThat(delivery.deliver(PullListener.SILENT)).isEqualTo(passed);
        Files.write(delivery.home().passed(), new byte[] {'\\', 'u', 'x', 0});
        assertThat(delivery.passed()).isEmpty();
        assertThat(delivery.deliver(PullListener.SILENT)).isEqualTo(passed);
        assertThat(index.requests).containsExactly(0);
    }

    @Test
    void aConnectionThatIsCutGoesOn() throws IOException {
        index.cuts.add(100);
        assertThat(delivery(CPU).deliver(PullListener.SILENT).what()).isEqualTo(OK);
        assertThat(index.requests.get(0)).isZero();
        assertThat(index.requests.get(1)).isBetween(1, 100);
    }

    @Test
    void otherBytesAreNotUnpacked() throws IOException {
        String hash = "0".repeat(64);
        MlxDelivery delivery = delivery(hash, CPU, Map.of());
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> delivery.deliver(PullListener.SILENT))
                .withMessage(NAME + " arrived with another hash than the " + hash
                        + " that is expected: it is damaged and was deleted, run it again");
        assertThat(delivery.home().folder()).doesNotExist();
    }

    /** As where a process ended between fetching and unpacking, and the disk lost some of it. */
    @Test
    void aWheelThatIsThereWithOtherBytesIsFetchedAgain() throws IOException {
        Path downloads = Files.createDirectories(folder.resolve("downloads"));
        byte[] other = wheel.clone();
        other[other.length / 2]++;
        Files.write(downloads.resolve(NAME), other);
        assertThat(delivery(CPU).deliver(PullListener.SILENT).what()).isEqualTo(OK);
        assertThat(index.requests).containsExactly(0);
    }

    @Test
    void aWheelThatLeadsOutOfItsFolderIsNotUnpacked() throws IOException {
        wheelOf(zip("mlx/lib/libmlx.so", "mlx/lib/../../../out"));
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> delivery(CPU).deliver(PullListener.SILENT))
                .withMessage("cannot unpack " + NAME + " into " + folder.resolve("9.9.9-test-cpu")
                        + ": its file mlx/lib/../../../out leads out of the folder");
        assertThat(left()).containsExactly("9.9.9-test-cpu.lock", "downloads");
    }

    @Test
    void whatIsNoWheelIsSaid() throws IOException {
        wheelOf("not a zip file".getBytes(StandardCharsets.US_ASCII));
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> delivery(CPU).deliver(PullListener.SILENT))
                .withMessageStartingWith("cannot unpack " + NAME + " into ");
        assertThat(delivery(CPU).home().folder()).doesNotExist();
    }

    private static final String VERSION_7 = "int es_version(void) { return 7; }";

    private static Stream<Arguments> failing() {
        return Stream.of(
                Arguments.of(
                        VERSION_7, "its library has version 7 of the interface, expected 1: build the project again"),
                Arguments.of(
                        "void abort(void); int es_version(void) { abort(); }",
                        "its self-test was ended by signal 6; its last words: .*"),
                Arguments.of(
                        "long write(int, const void *, unsigned long); void _exit(int);"
                                + " int es_version(void) { write(1, \"\\001\\377garbage\\n\", 10); _exit(0); }",
                        "its self-test ended with 0; its last words: \\?+garbage"));
    }

    /** Each way in which a library can fail, and no compiler. */
    @ParameterizedTest
    @MethodSource("failing")
    void aLibraryThatFails(String source, String why) throws IOException, InterruptedException {
        selfTest = REAL;
        MlxDelivery delivery = delivery(library(source));
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> delivery.deliver(PullListener.SILENT))
                .withMessageMatching("(?s)MLX 9\\.9\\.9 \\(" + NAME + "\\) is here, but nothing runs it\\. " + OK + ": "
                        + why + "\\. the library that this machine's C\\+\\+ compiler makes: compile\\.sh: there is no"
                        + " C\\+\\+ compiler \\(no-compiler-of-this-name\\)\\. In case MLX was damaged here, delete "
                        + delivery.home().folder() + ": it is then fetched again\\. The cpu engine runs without it");
        assertThat(delivery.passed()).isEmpty();
        assertThat(delivery.home().shim()).doesNotExist();
        assertThat(delivery.home().candidate()).doesNotExist();
    }

    @Test
    void aLibraryThatHangsIsKilled() throws IOException, InterruptedException {
        Path hangs = library("int pause(void); int es_version(void) { for (;;) pause(); }");
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> new SelfTestProcess(SelfTestProcess.java(), Duration.ofSeconds(2)).outcome(hangs))
                .withMessage("its self-test did not end within 2.0 s and was killed");
        assertThat(ProcessHandle.current().children().map(ProcessHandle::info))
                .noneMatch(info -> info.commandLine().orElse("").contains(hangs.toString()));
    }

    @Test
    void whereThisBuildsLibraryFailsTheCompilerMakesOne() throws IOException, InterruptedException {
        selfTest = REAL;
        MlxDelivery delivery = delivery(sha256(wheel), library(VERSION_7), Map.of("GOOD", CPU.toString()));
        Passed passed = delivery.deliver(PullListener.SILENT);
        assertThat(passed.what()).isEqualTo("the library that this machine's C++ compiler makes");
        assertThat(delivery.home().shim()).hasSameBinaryContentAs(CPU);
        assertThat(delivery.passed()).contains(passed);
    }

    @Test
    void aBuildWithoutALibraryForThisMachine() throws IOException {
        EngineException e =
                catchThrowableOfType(EngineException.class, () -> delivery(null).deliver(PullListener.SILENT));
        assertThat(e).hasMessageContaining(OK + ": there is none for this machine. ");
    }

    /** Two processes and two of this one. */
    @Test
    void severalAtOnceFetchItOnce() throws Exception {
        List<CompletableFuture<Integer>> children = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            Process child = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:+UseSerialGC",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Delivering.class.getName(),
                            folder.toString(),
                            index.address().toString(),
                            Integer.toString(wheel.length),
                            sha256(wheel))
                    .inheritIO()
                    .start();
            children.add(child.onExit().thenApply(Process::exitValue));
        }
        List<CompletableFuture<Passed>> here = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            MlxDelivery delivery = delivery(CPU);
            here.add(CompletableFuture.supplyAsync(() -> delivery.deliver(PullListener.SILENT)));
        }
        for (CompletableFuture<Passed> each : here) {
            assertThat(each.get(60, TimeUnit.SECONDS).what()).isEqualTo(OK);
        }
        for (CompletableFuture<Integer> each : children) {
            assertThat(each.get(60, TimeUnit.SECONDS)).isZero();
        }
        assertThat(index.requests).containsExactly(0);
    }

    /** A process that delivers too. */
    static final class Delivering {
        public static void main(String[] arguments) throws IOException {
            PackageFile file = new PackageFile(NAME, Long.parseLong(arguments[2]), arguments[3]);
            new MlxDelivery(
                            new MlxWheel("test-cpu", "0", file),
                            URI.create(arguments[1]),
                            Path.of(arguments[0]),
                            List.of(new PrebuiltShim(url(CPU))),
                            PASSES)
                    .deliver(PullListener.SILENT);
        }
    }
}
