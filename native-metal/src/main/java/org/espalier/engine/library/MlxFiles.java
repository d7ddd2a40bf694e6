package org.espalier.engine.library;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.espalier.engine.EngineException;

/**
 * Where MLX lies: a folder laid out as its wheel, {@code mlx/lib/libmlx.so}. The system property {@code espalier.mlx} or the environment variable
 * {@code ESPALIER_MLX} names it, else it is the one that was fetched for this machine.
 */
final class MlxFiles {

    /** Of MLX, exactly: its interface in C++ changes from one to the next. */
    static final String VERSION = "0.32.4";

    private static final String LIBRARY = "espalier-mlx";

    private MlxFiles() {}

    /**
     * The engine's library beside MLX's own, else that of this build.
     *
     * @throws EngineException saying why there is none
     */
    static LibraryFile open() {
        return open(folder());
    }

    /** The same in this folder. */
    static LibraryFile open(Path folder) {
        Path libraries = folder.resolve("mlx").resolve("lib");
        Path mlx = libraries.resolve(System.mapLibraryName("mlx"));
        if (!Files.exists(mlx)) {
            throw new EngineException("there is no " + mlx);
        }
        Path beside = libraries.resolve(System.mapLibraryName(LIBRARY));
        if (Files.exists(beside)) {
            return LibraryFile.open(EspalierLibrary::of, () -> beside);
        }
        try {
            NativeLibrary.getInstance(mlx.toString()); // by whose name the engine's finds it
        } catch (UnsatisfiedLinkError e) {
            throw new EngineException("MLX cannot be loaded: " + e.getMessage(), e);
        }
        return LibraryFile.open(LIBRARY, EspalierLibrary::of);
    }

    private static Path folder() {
        return Stream.of(System.getProperty("espalier.mlx"), System.getenv("ESPALIER_MLX"))
                .filter(named -> named != null && !named.isBlank())
                .map(Path::of)
                .findFirst()
                .or(MlxFiles::fetched)
                .orElseThrow(() -> new EngineException("MLX " + VERSION + " was not fetched for this machine"));
    }

    private static Optional<Path> fetched() {
        Path all = Path.of(System.getProperty("user.home"), ".espalier", "mlx");
        String begin = VERSION + "-" + Platform.RESOURCE_PREFIX;
        try (Stream<Path> folders = Files.isDirectory(all) ? Files.list(all) : Stream.of()) {
            List<Path> found = folders.filter(
                            folder -> folder.getFileName().toString().startsWith(begin))
                    .sorted()
                    .toList();
            return found.isEmpty() ? Optional.empty() : Optional.of(found.get(found.size() - 1));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
