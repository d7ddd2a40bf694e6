package org.espalier.model;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Derives a model's name from its path. */
final class ModelName {
    private static final String HUB_PREFIX = "models--";
    private static final String SNAPSHOTS = "snapshots";
    private static final String GGUF = ".gguf";
    private static final Pattern PART = Pattern.compile("(.+)-(\\d{5})-of-\\d{5}\\.gguf");

    private ModelName() {}

    /** The hub's {@code org/name}, with the file's name for a GGUF file; otherwise the file's or folder's own name. */
    static String of(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        String name = withoutGguf(String.valueOf(absolute.getFileName()));
        for (Path part : absolute) {
            if (isHubFolder(part.toString())) {
                String repository = ofHubFolder(part.toString());
                return isGguf(absolute) ? repository + "/" + name : repository;
            }
        }
        return name;
    }

    /** The commit of a snapshot in the hub's cache; empty for a path outside it. */
    static String revision(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        for (int i = 0; i + 2 < absolute.getNameCount(); i++) {
            if (isHubFolder(absolute.getName(i).toString())
                    && absolute.getName(i + 1).toString().equals(SNAPSHOTS)) {
                return absolute.getName(i + 2).toString();
            }
        }
        return "";
    }

    static boolean isGguf(Path path) {
        return path.getFileName().toString().endsWith(GGUF);
    }

    /** Whether the file is a whole model or the first part of one, by which it is opened. */
    static boolean isWholeOrFirst(Path file) {
        Matcher part = PART.matcher(file.getFileName().toString());
        return !part.matches() || part.group(2).equals("00001");
    }

    /** Whether two files of one folder are parts of one GGUF model, or the same one. */
    static boolean isSameModel(Path file, Path other) {
        return isGguf(file)
                && withoutGguf(file.getFileName().toString())
                        .equals(withoutGguf(other.getFileName().toString()));
    }

    static String withoutGguf(String file) {
        Matcher part = PART.matcher(file);
        if (part.matches()) {
            return part.group(1);
        }
        return file.endsWith(GGUF) ? file.substring(0, file.length() - GGUF.length()) : file;
    }

    /** {@code models--org--name} to {@code org/name}. */
    static String ofHubFolder(String folder) {
        return folder.substring(HUB_PREFIX.length()).replace("--", "/");
    }

    static boolean isHubFolder(String folder) {
        return folder.startsWith(HUB_PREFIX) && folder.length() > HUB_PREFIX.length();
    }
}
