package org.espalier.model;

import java.nio.file.Path;

/** What to call a model that lies at a path. */
final class ModelName {
    private static final String HUB_PREFIX = "models--";
    private static final String GGUF = ".gguf";

    private ModelName() {}

    static String of(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        for (Path part : absolute) {
            if (part.toString().startsWith(HUB_PREFIX)) {
                return ofHubFolder(part.toString());
            }
        }
        String name = String.valueOf(absolute.getFileName());
        return name.endsWith(GGUF) ? name.substring(0, name.length() - GGUF.length()) : name;
    }

    /** {@code models--org--name} to {@code org/name}. */
    static String ofHubFolder(String folder) {
        return folder.substring(HUB_PREFIX.length()).replace("--", "/");
    }

    static boolean isHubFolder(String folder) {
        return folder.startsWith(HUB_PREFIX) && folder.length() > HUB_PREFIX.length();
    }
}
