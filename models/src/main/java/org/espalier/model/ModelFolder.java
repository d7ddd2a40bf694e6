package org.espalier.model;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.espalier.RegularFile;

/**
 * Lists the models below one folder: {@code NAME.gguf}, {@code NAME/config.json}, {@code ORG/NAME/...}, and the Hugging Face hub
 * cache's {@code models--ORG--NAME/snapshots/REVISION}. Looks at names only.
 */
final class ModelFolder {

    /** Which snapshots of the hub's cache are listed. */
    enum Snapshots {
        /** The one that {@code refs/main} names; without that file, the only one. */
        CURRENT,
        ALL
    }

    /** @param name with the org if there is one */
    record Listed(String name, Path path) {
        String shortName() {
            return name.substring(name.lastIndexOf('/') + 1);
        }

        /** Whether it is called that: by its whole name, its last part, or the name of its file, ignoring case. */
        boolean isNamed(String text) {
            return name.equalsIgnoreCase(text)
                    || shortName().equalsIgnoreCase(text)
                    || path.getFileName().toString().equalsIgnoreCase(text);
        }

        /** Of the model's files: those of its folder, or all parts of a GGUF file. */
        long bytes() {
            boolean directory = Files.isDirectory(path);
            return children(directory ? path : path.toAbsolutePath().getParent()).stream()
                    .filter(file -> directory || ModelName.isSameModel(file, path))
                    .mapToLong(ModelFolder::bytes)
                    .sum();
        }
    }

    private final Snapshots snapshots;
    private final List<Listed> found = new ArrayList<>();

    private ModelFolder(Snapshots snapshots) {
        this.snapshots = snapshots;
    }

    /** All models of a folder, sorted; empty if the folder does not exist. */
    static List<Listed> list(Path root, Snapshots snapshots) {
        ModelFolder folder = new ModelFolder(snapshots);
        for (Path child : children(root)) {
            String name = child.getFileName().toString();
            if (ModelName.isHubFolder(name)) {
                folder.addHub(child);
            } else if (!folder.addModel("", child) && Files.isDirectory(child)) {
                children(child).forEach(inner -> folder.addModel(name + "/", inner));
            }
        }
        return folder.found;
    }

    private boolean addModel(String prefix, Path path) {
        boolean directory = Files.isDirectory(path);
        boolean model = directory
                ? Files.exists(path.resolve("config.json"))
                : ModelName.isGguf(path) && ModelName.isWholeOrFirst(path);
        if (model) {
            String name = path.getFileName().toString();
            found.add(new Listed(prefix + (directory ? name : ModelName.withoutGguf(name)), path));
        }
        return model;
    }

    private void addHub(Path folder) {
        String name = ModelName.ofHubFolder(folder.getFileName().toString());
        for (Path snapshot : snapshots(folder)) {
            if (Files.exists(snapshot.resolve("config.json"))) {
                found.add(new Listed(name, snapshot));
            }
            addGgufs(snapshot);
            children(snapshot).stream()
                    .filter(Files::isDirectory)
                    .forEach(this::addGgufs); // one folder for each quantization
        }
    }

    private void addGgufs(Path folder) {
        children(folder).stream()
                .filter(file -> ModelName.isGguf(file) && ModelName.isWholeOrFirst(file))
                .forEach(file -> found.add(new Listed(ModelName.of(file), file)));
    }

    private List<Path> snapshots(Path folder) {
        List<Path> all = children(folder.resolve("snapshots"));
        if (snapshots == Snapshots.ALL) {
            return all;
        }
        Path main = folder.resolve("refs").resolve("main");
        if (!Files.exists(main)) {
            return all.size() == 1 ? all : List.of();
        }
        try {
            String revision = new String(RegularFile.read(main, 1 << 10), StandardCharsets.UTF_8).strip();
            return all.stream()
                    .filter(snapshot -> snapshot.getFileName().toString().equals(revision))
                    .toList();
        } catch (IOException e) {
            return List.of(); // an unreadable cache entry is not a model
        }
    }

    private static long bytes(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return attributes.isRegularFile() ? attributes.size() : 0;
        } catch (IOException e) {
            return 0; // it has just gone, or its link leads nowhere
        }
    }

    /** The children of a folder, sorted, without hidden ones; empty if the folder cannot be read. */
    private static List<Path> children(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        List<Path> children = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            for (Path child : stream) {
                if (!child.getFileName().toString().startsWith(".")) {
                    children.add(child);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            return List.of(); // not ours to read
        }
        children.sort(null);
        return children;
    }
}
