package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.config.TextConfig;

/** Chooses the reader for what is on disk; the only place that knows all layouts. */
final class Layouts {
    static final String CONFIG = "config.json";

    private Layouts() {}

    static Checkpoint open(Path path, GgufDialects dialects) {
        if (Files.isDirectory(path)) {
            return openDirectory(path, dialects);
        }
        if (!Files.exists(path)) {
            throw new CheckpointException(
                    path + " does not exist: expected a directory with config.json, or a .gguf file");
        }
        if (GgufFile.hasMagic(path)) {
            return new GgufCheckpoint(GgufParts.open(path), dialects);
        }
        String hint = path.toString().endsWith(".safetensors") ? ": name its directory instead" : "";
        throw new CheckpointException(path + " is not a GGUF file: it does not begin with the bytes GGUF" + hint);
    }

    private static Checkpoint openDirectory(Path path, GgufDialects dialects) {
        Path configFile = path.resolve(CONFIG);
        if (!Files.exists(configFile)) {
            return new GgufCheckpoint(GgufParts.open(onlyGguf(path)), dialects);
        }
        ObjectNode config = TextConfig.of(JsonFile.read(configFile));
        SafetensorsDirectory directory = SafetensorsDirectory.read(path);
        if (directory.format().equals("mlx") || MlxQuantization.isIn(config)) {
            return new MlxCheckpoint(config, directory, MlxQuantization.of(configFile, config));
        }
        return new SafetensorsCheckpoint(config, directory);
    }

    /** The GGUF model of a directory without a config. */
    static Path onlyGguf(Path directory) {
        Path gguf = GgufParts.in(directory);
        if (gguf == null) {
            throw new CheckpointException(directory + " has no config.json and no .gguf file: expected a directory"
                    + " with config.json and safetensors, or a .gguf file");
        }
        return gguf;
    }
}
