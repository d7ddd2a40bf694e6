package org.espalier.architecture;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import org.espalier.checkpoint.Golden;
import org.espalier.checkpoint.JsonFile;

/** Configs to change in tests. */
final class ConfigJson {
    private ConfigJson() {}

    static ObjectNode of(String json) {
        try {
            return (ObjectNode) new ObjectMapper().readTree(json.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    static ObjectNode tiny(String model) {
        Path file = Golden.tiny(model).resolve("hf").resolve("config.json");
        return JsonFile.read(file);
    }

    /** The tiny model's config with these keys put over it; {@code null} stays as a value. */
    static ObjectNode tiny(String model, String changes) {
        ObjectNode config = tiny(model);
        config.setAll(of(changes));
        return config;
    }
}
