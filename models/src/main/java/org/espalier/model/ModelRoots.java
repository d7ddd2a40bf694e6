package org.espalier.model;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The folders that a node may read models from. Links are followed before a path is judged: those of the hub cache lead from snapshots
 * to blobs below the same root; one that leads outside is refused.
 */
final class ModelRoots {
    private final List<Path> roots;

    ModelRoots(List<Path> roots) {
        this.roots = roots;
    }

    /**
     * @throws ModelNotFoundException unless the path, what is directly in it, and its further parts are in a root; also if the path
     *     does not exist
     */
    void require(Path path) {
        try {
            requireInside(path, path);
            boolean directory = Files.isDirectory(path);
            Path folder = directory ? path : path.toAbsolutePath().getParent();
            try (DirectoryStream<Path> files =
                    Files.newDirectoryStream(folder, file -> directory || ModelName.isSameModel(file, path))) {
                for (Path file : files) {
                    requireInside(file, path);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            throw refused(path, e);
        }
    }

    private void requireInside(Path file, Path asked) throws IOException {
        Path real = file.toRealPath();
        for (Path root : roots) {
            if (Files.isDirectory(root) && real.startsWith(root.toRealPath())) {
                return;
            }
        }
        throw refused(asked, null);
    }

    private ModelNotFoundException refused(Path path, Exception cause) {
        String folders = roots.stream().map(Path::toString).collect(Collectors.joining(", "));
        return new ModelNotFoundException(
                path + " is not in the model folders of this node (" + folders
                        + "): put it there, or serve with --models",
                cause);
    }
}
