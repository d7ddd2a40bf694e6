package org.espalier.kernel.dependencies;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.espalier.EspalierException;

/** The jars that a path means: a jar, a folder of classes, a folder of jars, or either with {@code *} in its last part. */
public final class JarFiles {

    private JarFiles() {}

    /**
     * @return at least one, each there and readable, in the order of their names
     * @throws EspalierException if there is none, or one is no jar
     */
    public static List<Path> of(String path) {
        Path whole = Path.of(path.startsWith("~/") ? System.getProperty("user.home") + path.substring(1) : path)
                .toAbsolutePath()
                .normalize();
        String last = whole.getFileName() == null ? "" : whole.getFileName().toString();
        List<Path> found;
        if (last.contains("*") || last.contains("?")) {
            found = list(whole.getParent(), last);
        } else if (Files.isDirectory(whole)) {
            List<Path> jars = list(whole, "*.jar");
            found = jars.isEmpty() && !list(whole, "*").isEmpty() ? List.of(whole) : jars;
        } else if (Files.isRegularFile(whole)) {
            found = List.of(whole);
        } else {
            throw new EspalierException("there is no file or folder " + whole);
        }
        if (found.isEmpty()) {
            throw new EspalierException("there is no jar at " + whole);
        }
        found.forEach(JarFiles::check);
        return found;
    }

    private static List<Path> list(Path folder, String glob) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, glob)) {
            entries.forEach(found::add);
        } catch (IOException e) {
            throw new EspalierException("cannot list " + folder + ": " + EspalierException.reason(e, folder), e);
        }
        found.sort(null);
        return found;
    }

    private static void check(Path file) {
        if (Files.isDirectory(file)) {
            return;
        }
        try (ZipFile jar = new ZipFile(file.toFile())) {
            if (jar.size() == 0) {
                throw new EspalierException(file + " is an empty jar");
            }
        } catch (ZipException e) {
            throw new EspalierException(file + " is not a jar: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new EspalierException("cannot read " + file + ": " + EspalierException.reason(e, file), e);
        }
    }
}
