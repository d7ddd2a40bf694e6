package org.espalier.node.delivery;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.espalier.EspalierException;
import org.espalier.engine.EngineException;
import org.espalier.engine.library.SelfTestOutcome;
import org.espalier.hub.DownloadLock;
import org.espalier.hub.HubException;
import org.espalier.hub.PullListener;

/**
 * Brings MLX and the engine's library to this machine: fetches the wheel, unpacks it, puts a library beside it and tries that in a process of its own. The
 * first library that passes is used: the one of this build, or else the one that this machine's compiler makes. Several processes may deliver at once: one
 * works, the others wait for it.
 */
public final class MlxDelivery {

    private static final Duration WAIT_FOR_OTHERS = Duration.ofMinutes(30);

    private final MlxWheel wheel;
    private final URI index;
    private final Path root;
    private final List<ShimMaker> makers;
    private final SelfTestProcess selfTest;

    /**
     * @param root such as {@code ~/.espalier/mlx}
     * @param makers in the order in which they are tried
     */
    MlxDelivery(MlxWheel wheel, URI index, Path root, List<ShimMaker> makers, SelfTestProcess selfTest) {
        this.wheel = wheel;
        this.index = index;
        this.root = root;
        this.makers = List.copyOf(makers);
        this.selfTest = selfTest;
    }

    /** Into {@code ~/.espalier/mlx}, from the index that {@code ESPALIER_PYPI} names, else PyPI; empty where MLX has no wheel for this machine. */
    public static Optional<MlxDelivery> ofThisMachine() {
        String index = System.getenv().getOrDefault("ESPALIER_PYPI", "https://pypi.org/simple");
        Path root = Path.of(System.getProperty("user.home"), ".espalier", "mlx");
        return MlxWheel.ofThisMachine()
                .map(wheel -> new MlxDelivery(
                        wheel,
                        URI.create(index.replaceFirst("/+$", "")),
                        root,
                        List.of(PrebuiltShim.ofThisBuild(), BuiltShim.ofThisBuild()),
                        SelfTestProcess.usual()));
    }

    /** What would be fetched. */
    public String what() {
        return "MLX " + wheel.version() + " (" + wheel.file().name() + ")";
    }

    /** Bytes that would be fetched. */
    public long bytes() {
        return wheel.file().size();
    }

    public MlxHome home() {
        return new MlxHome(root.resolve(wheel.folder()));
    }

    /** Where a library of this build passed its self-test on this system. */
    public Optional<Passed> passed() {
        return Passed.read(home())
                .filter(before -> before.system().equals(Passed.thisSystem()))
                .filter(before ->
                        makers.stream().anyMatch(maker -> before.version().equals(maker.version())))
                .filter(before -> Files.isRegularFile(home().shim()));
    }

    /**
     * Returns when a library has passed. An interrupt ends it; what was fetched is kept.
     *
     * @throws EngineException saying why there is none
     */
    public Passed deliver(PullListener progress) {
        Optional<Passed> before = passed();
        if (before.isPresent()) {
            return before.get();
        }
        try (DownloadLock lock = DownloadLock.await(root.resolve(wheel.folder() + ".lock"), WAIT_FOR_OTHERS)) {
            Optional<Passed> meanwhile = passed();
            return meanwhile.isPresent() ? meanwhile.get() : bring(progress);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException("bringing " + what() + " here was interrupted: run it again", e);
        } catch (HubException e) {
            throw new EngineException(e.getMessage(), e);
        } catch (IOException e) {
            throw new EngineException("cannot write to " + root + ": " + EspalierException.reason(e, root), e);
        }
    }

    private Passed bring(PullListener progress) throws IOException, InterruptedException {
        if (!Files.isDirectory(home().folder())) {
            Path downloads = root.resolve("downloads");
            Path file = wheel.file().fetch(index, downloads, progress);
            WheelUnpacking.into(home().folder(), file);
            WheelUnpacking.delete(downloads);
        }
        List<String> reasons = new ArrayList<>();
        for (ShimMaker maker : makers) {
            try {
                return tried(maker);
            } catch (EngineException e) {
                reasons.add(maker.what() + ": " + e.getMessage());
            }
        }
        throw new EngineException(what() + " is here, but nothing runs it. "
                + reasons.stream().collect(Collectors.joining(". ")) + ". In case MLX was damaged here, delete "
                + home().folder() + ": it is then fetched again. The cpu engine runs without it");
    }

    private Passed tried(ShimMaker maker) throws IOException, InterruptedException {
        MlxHome home = home();
        Files.deleteIfExists(home.passed());
        Path candidate = home.candidate();
        try {
            maker.make(home, candidate);
            SelfTestOutcome outcome = selfTest.outcome(candidate);
            Passed passed = new Passed(
                    outcome.device(),
                    String.join(" | ", outcome.choices()),
                    maker.what(),
                    maker.version(),
                    Passed.thisSystem());
            Files.move(candidate, home.shim(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            passed.write(home);
            return passed;
        } finally {
            Files.deleteIfExists(candidate);
        }
    }
}
