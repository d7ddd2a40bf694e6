package org.espalier.node.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.espalier.engine.EngineProvider.Availability;
import org.espalier.engine.library.MlxProvider;
import org.espalier.hub.PackageFile;
import org.espalier.hub.PullListener;
import org.espalier.hub.Sha256;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** MLX for Linux and the library of this build, from an index on loopback to an engine that is ready: as on a user's machine, but for the network. */
@Timeout(900)
class MlxDeliveryOfThisBuildTest {

    private static final Path MLX = Path.of("../native-metal/target/mlx").toAbsolutePath();
    private static final String DEVICE = "MLX 0.32.4 on the processor";

    @TempDir
    Path folder;

    @BeforeEach
    void requireMlx() {
        assumeTrue(Files.exists(MLX.resolve("mlx/lib/libmlx.so")), "there is no MLX for Linux in " + MLX);
        assumeTrue(PrebuiltShim.ofThisBuild().resource() != null, "this build has no library of the mlx engine");
    }

    /** A wheel again, not compressed: that would take longer than all the rest. */
    private static byte[] wheel() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes);
                Stream<Path> files = Files.walk(MLX)) {
            zip.setLevel(Deflater.NO_COMPRESSION);
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                zip.putNextEntry(new ZipEntry(MLX.relativize(file).toString()));
                Files.copy(file, zip);
            }
        }
        return bytes.toByteArray();
    }

    private static MlxDelivery delivery(PackageFile file, URI index, Path root, ShimMaker maker) {
        String platform = MlxWheel.ofThisMachine().orElseThrow().platform();
        return new MlxDelivery(new MlxWheel(platform, "0", file), index, root, List.of(maker), SelfTestProcess.usual());
    }

    private void deliveredAndReady(ShimMaker maker) throws IOException, InterruptedException {
        byte[] wheel = wheel();
        PackageFile file = new PackageFile(
                MlxWheel.ofThisMachine().orElseThrow().file().name(),
                wheel.length,
                Sha256.of(new ByteArrayInputStream(wheel)));
        Passed passed;
        try (PackageIndex index = new PackageIndex(file.name(), wheel)) {
            index.cuts.add(wheel.length / 2);
            passed = delivery(file, index.address(), folder, maker).deliver(PullListener.SILENT);
            assertThat(index.requests).as("resumed").hasSize(2);
        }
        assertThat(passed.device()).isEqualTo(DEVICE);
        assertThat(passed.experts()).startsWith("experts by gather_qmm: ");
        assertThat(passed.what()).isEqualTo(maker.what());
        ChildProcess.Ended found = new ChildProcess(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "-XX:+UseSerialGC",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Finding.class.getName(),
                                file.name(),
                                Long.toString(file.size()),
                                file.sha256(),
                                folder.toString(),
                                maker.getClass().getSimpleName()),
                        Map.of(),
                        Duration.ofSeconds(60))
                .run();
        Path libraries = folder.resolve(
                        "0.32.4-" + MlxWheel.ofThisMachine().orElseThrow().platform())
                .resolve("mlx/lib")
                .toRealPath();
        assertThat(found.output().lines())
                .contains(
                        "ready: " + DEVICE + ", slow, for tests",
                        "loaded: " + libraries.resolve("libespalier-mlx.so"),
                        "loaded: " + libraries.resolve("libmlx.so"))
                .filteredOn(line -> line.startsWith("loaded: "))
                .hasSize(2);
        assertThat(found.isFine()).as(found.output()).isTrue();
    }

    @Test
    void theLibraryOfThisBuildIsReadyWhereItWasDelivered() throws IOException, InterruptedException {
        deliveredAndReady(PrebuiltShim.ofThisBuild());
    }

    /** The compiler alone takes ten seconds of a processor. */
    @Test
    void theLibraryThatTheCompilerMakesIsReadyWhereItWasDelivered() throws IOException, InterruptedException {
        deliveredAndReady(BuiltShim.ofThisBuild());
    }

    /** What a node that starts later finds: nothing is fetched, for its index is nowhere. */
    static final class Finding {
        public static void main(String[] arguments) throws IOException {
            PackageFile file = new PackageFile(arguments[0], Long.parseLong(arguments[1]), arguments[2]);
            ShimMaker maker =
                    arguments[4].equals("PrebuiltShim") ? PrebuiltShim.ofThisBuild() : BuiltShim.ofThisBuild();
            MlxDelivery delivery =
                    delivery(file, URI.create("http://127.0.0.1:1/simple"), Path.of(arguments[3]), maker);
            Availability found =
                    new DeliveredMlx(MlxProvider.mlx(), () -> Optional.of(delivery), Duration.ZERO).availability();
            System.out.println(found instanceof Availability.Ready ready ? "ready: " + ready.device() : found);
            try (Stream<String> mapped = Files.lines(Path.of("/proc/self/maps"))) {
                mapped.map(line -> line.substring(line.lastIndexOf(' ') + 1))
                        .filter(name -> name.matches(".*/lib(espalier-)?mlx.*\\.so"))
                        .distinct()
                        .forEach(name -> System.out.println("loaded: " + name));
            }
        }
    }
}
