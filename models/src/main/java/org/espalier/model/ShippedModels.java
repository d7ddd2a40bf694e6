package org.espalier.model;

import java.net.URISyntaxException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Optional;

/** The models that come with the program: the folder {@code models} of the clone or distribution that the running code lies in. */
final class ShippedModels {
    private static final int LEVELS = 3; // ROOT/node-server/target/espalier-node.jar, ROOT/models/target/classes
    private static final Path KNOWN =
            Path.of("models", "demo", "config.json"); // tells our folder "models" from any other

    private ShippedModels() {}

    /** The folder; empty if the code is not beside its models. */
    static Optional<Path> folder() {
        CodeSource source = ShippedModels.class.getProtectionDomain().getCodeSource();
        try {
            return source == null
                    ? Optional.empty()
                    : above(Path.of(source.getLocation().toURI()));
        } catch (URISyntaxException | IllegalArgumentException | FileSystemNotFoundException e) {
            return Optional.empty(); // code that is not in a file has no folder beside it
        }
    }

    static Optional<Path> above(Path code) {
        Path folder = code.toAbsolutePath().normalize();
        for (int level = 0; level < LEVELS && folder.getParent() != null; level++) {
            folder = folder.getParent();
            if (Files.exists(folder.resolve(KNOWN))) {
                return Optional.of(folder.resolve(KNOWN.getName(0)));
            }
        }
        return Optional.empty();
    }
}
