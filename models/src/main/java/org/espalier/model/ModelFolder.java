package org.espalier.model;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Lists the models below one folder: {@code NAME.gguf}, {@code NAME/config.json}, {@code ORG/NAME/...}, and the Hugging Face hub
 * cache's {@code models--ORG--NAME/snapshots/REVISION}. Looks at names only.
 */
final class ModelFolder {

    /** @param name with the org where there is one */
    record Entry(String name, Path path) {
        String shortName() {
            return name.substring(name.lastIndexOf('/') + 1);
        }
    }

    private static final Pattern PART = Pattern.compile("(.+)-(\\d{5})-of-\\d{5}\\.gguf");

    private ModelFolder() {}

    /** Sorted; empty where the folder does not exist. */
    static List<Entry> list(Path root) {
        List<Entry> found = new ArrayList<>();
        for (Path child : children(root)) {
            String name = child.getFileName().toString();
            if (ModelName.isHubFolder(name)) {
                addHub(child, found);
            } else if (!addModel("", child, found) && Files.isDirectory(child)) {
                children(child).forEach(inner -> addModel(name + "/", inner, found));
            }
        }
        return found;
    }

    private static boolean addModel(String prefix, Path path, List<Entry> found) {
        boolean model = Files.isDirectory(path)
                ? Files.exists(path.resolve("config.json"))
                : path.getFileName().toString().endsWith(".gguf") && isWholeOrFirst(path);
        if (model) {
            String name = path.getFileName().toString();
            found.add(new Entry(prefix + (Files.isDirectory(path) ? name : withoutGguf(name)), path));
        }
        return model;
    }

    private static void addHub(Path folder, List<Entry> found) {
        String name = ModelName.ofHubFolder(folder.getFileName().toString());
        for (Path snapshot : currentSnapshot(folder)) {
            if (Files.exists(snapshot.resolve("config.json"))) {
                found.add(new Entry(name, snapshot));
            }
            children(snapshot).stream()
                    .filter(file -> file.toString().endsWith(".gguf") && isWholeOrFirst(file))
                    .forEach(file -> found.add(new Entry(
                            name + "/" + withoutGguf(file.getFileName().toString()), file)));
        }
    }

    /** The revision that {@code refs/main} names; without that file the only snapshot there is. */
    private static List<Path> currentSnapshot(Path folder) {
        List<Path> snapshots = children(folder.resolve("snapshots"));
        Path main = folder.resolve("refs").resolve("main");
        if (!Files.exists(main)) {
            return snapshots.size() == 1 ? snapshots : List.of();
        }
        try {
            String revision = Files.readString(main).strip();
            return snapshots.stream()
                    .filter(snapshot -> snapshot.getFileName().toString().equals(revision))
                    .toList();
        } catch (IOException e) {
            return List.of(); // an unreadable cache entry is no model
        }
    }

    /** A model in several files is named after all and opened by its first. */
    private static boolean isWholeOrFirst(Path file) {
        Matcher part = PART.matcher(file.getFileName().toString());
        return !part.matches() || part.group(2).equals("00001");
    }

    private static String withoutGguf(String file) {
        Matcher part = PART.matcher(file);
        return part.matches() ? part.group(1) : file.substring(0, file.length() - ".gguf".length());
    }

    /** Sorted, without hidden ones; empty where the folder cannot be read. */
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
