package org.espalier.node.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.espalier.engine.Crossing;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineProvider.Availability;
import org.espalier.engine.Loading;
import org.espalier.engine.reference.ReferenceProvider;
import org.espalier.hub.PackageFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the engine says of itself before and after; in place of MLX's stands the reference engine. */
class DeliveredMlxTest {

    private static final String PROPERTY = "espalier.mlx";
    private static final SelfTestProcess PASSES = new SelfTestProcess(
            List.of("echo", "espalier self-test passed: MLX 9.9.9 on a GPU"), Duration.ofSeconds(20));

    private static final String NO_NETWORK =
            "cannot reach http://127.0.0.1:1/simple for mlx_cpu-9.9.9-py3-none-any.whl: check the network";

    @TempDir
    Path folder;

    private final String before = System.getProperty(PROPERTY, "");

    @AfterEach
    void restore() {
        System.setProperty(PROPERTY, before);
    }

    private MlxDelivery delivery(Path library) throws IOException {
        System.setProperty(PROPERTY, "");
        MlxWheel wheel =
                new MlxWheel("test-cpu", "0", new PackageFile("mlx_cpu-9.9.9-py3-none-any.whl", 7, "0".repeat(64)));
        PrebuiltShim shim =
                new PrebuiltShim(library == null ? null : library.toUri().toURL());
        return new MlxDelivery(wheel, URI.create("http://127.0.0.1:1/simple"), folder, List.of(shim), PASSES);
    }

    private static DeliveredMlx mlx(MlxDelivery delivery, Duration between) {
        return new DeliveredMlx(new ReferenceProvider(), () -> Optional.of(delivery), between);
    }

    private static Loading quietly() {
        return Loading.quietly();
    }

    @Test
    void itIsObtainableUntilItPassed() throws IOException {
        MlxDelivery delivery = delivery(Files.writeString(folder.resolve("library"), "a library"));
        Files.createDirectories(delivery.home().libraries()); // unpacked before
        DeliveredMlx mlx = mlx(delivery, Duration.ofHours(1));
        assertThat(mlx.availability())
                .isEqualTo(new Availability.Obtainable("MLX 9.9.9 (mlx_cpu-9.9.9-py3-none-any.whl)", 7));
        mlx.prepare(quietly());
        assertThat(mlx.availability()).isInstanceOf(Availability.Ready.class);
        assertThat(System.getProperty(PROPERTY))
                .isEqualTo(delivery.home().folder().toString());
        assertThat(((Availability.Ready) mlx.availability()).device())
                .isEqualTo("plain Java on the processor, slow, for tests");
    }

    /** Not tried again within the time: MLX is put there meanwhile, and not found. */
    @Test
    void whatCannotBeHadIsMissingWithItsReason() throws IOException {
        MlxDelivery delivery = delivery(Files.writeString(folder.resolve("library"), "a library"));
        DeliveredMlx mlx = mlx(delivery, Duration.ofHours(1));
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> mlx.prepare(quietly()))
                .withMessage(NO_NETWORK);
        Files.createDirectories(delivery.home().libraries());
        String later = NO_NETWORK + ". 3600 s after this it is tried again, when it is asked for";
        assertThat(mlx.availability()).isEqualTo(new Availability.Missing(later));
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> mlx.prepare(quietly()))
                .withMessage(later);
    }

    @Test
    void afterAWhileItIsTriedAgain() throws IOException {
        MlxDelivery delivery = delivery(Files.writeString(folder.resolve("library"), "a library"));
        DeliveredMlx mlx = mlx(delivery, Duration.ZERO);
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> mlx.prepare(quietly()))
                .withMessage(NO_NETWORK);
        assertThat(mlx.availability()).isInstanceOf(Availability.Obtainable.class);
        Files.createDirectories(delivery.home().libraries());
        mlx.prepare(quietly());
        assertThat(mlx.availability()).isInstanceOf(Availability.Ready.class);
    }

    @Test
    void aSystemThatMlxIsNotBuiltFor() throws IOException {
        delivery(null);
        assertThat(new DeliveredMlx(new ReferenceProvider(), Optional::empty, Duration.ZERO).availability())
                .isEqualTo(new Availability.Missing("MLX has no build for " + Passed.thisSystem()));
    }

    @Test
    void limitsOfBuffersAreThoseOfTheDevice() throws IOException {
        MlxHome home = delivery(null).home();
        Files.createDirectories(home.folder());
        BufferLimits limits = new BufferLimits(1000, 400, "MLX 9.9.9 on a GPU");
        limits.write(home);
        assertThat(BufferLimits.read(home)).as("nothing passed").isEmpty();
        new Passed("MLX 9.9.9 on a GPU", "", "", "", "").write(home);
        assertThat(BufferLimits.read(home)).contains(limits);
        assertThat(limits.variables())
                .isEqualTo(Map.of("MLX_MAX_OPS_PER_BUFFER", "1000", "MLX_MAX_MB_PER_BUFFER", "400"));
        new Passed("MLX 9.9.9 on another GPU", "", "", "", "").write(home);
        assertThat(BufferLimits.read(home)).isEmpty();
    }

    @Test
    void whereMlxsOwnLimitsAreKeptNothingIsSet() throws IOException {
        MlxHome home = delivery(null).home();
        Files.createDirectories(home.folder());
        new Passed("MLX 9.9.9 on a GPU", "", "", "", "").write(home);
        BufferLimits own = BufferLimits.own("MLX 9.9.9 on a GPU");
        own.write(home);
        assertThat(BufferLimits.read(home)).contains(own);
        assertThat(own.variables()).isEmpty();
        assertThat(home.folder().resolve("buffer-limits"))
                .content()
                .contains("operations=unset", "megabytes=unset", "MLX's own: nothing")
                .doesNotContain("operations=0");
    }

    @Test
    void aCrossingIsThatOfTheDeviceThatItWasMeasuredOn() throws IOException {
        MlxDelivery delivery = delivery(null);
        MlxHome home = delivery.home();
        Files.createDirectories(home.folder());
        new Passed("MLX 9.9.9 on a GPU", "", "", "", "").write(home);
        DeliveredMlx mlx = mlx(delivery, Duration.ZERO);
        assertThat(mlx.crossing())
                .as("nothing was measured")
                .isEqualTo(MeasuredCrossing.assumed(System.getProperty("os.name")));
        MeasuredCrossing measured = new MeasuredCrossing(21_500, "MLX 9.9.9 on a GPU");
        measured.write(home);
        assertThat(MeasuredCrossing.read(home)).contains(measured);
        assertThat(mlx.crossing())
                .contains(new Crossing(21_500, "measured by espalier-node doctor on MLX 9.9.9 on a GPU"));
        new Passed("MLX 10 on a GPU", "", "", "", "").write(home);
        assertThat(MeasuredCrossing.read(home)).isEmpty();
    }

    @Test
    void onAMacACrossingCostsWhatOthersMeasured() {
        assertThat(MeasuredCrossing.assumed("Mac OS X").map(Crossing::nanos)).contains(180_000L);
        assertThat(MeasuredCrossing.assumed("Linux")).isEmpty();
    }

    @Test
    void limitsThatWhoeverStartedUsHasSetAreInherited() {
        assertThat(BufferLimits.inherited(Map.of("MLX_MAX_MB_PER_BUFFER", "7"))).contains("MLX_MAX_MB_PER_BUFFER");
        assertThat(BufferLimits.inherited(Map.of("HOME", "/"))).isEmpty();
    }
}
