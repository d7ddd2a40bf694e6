package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The {@code quantization} object of an MLX config.json: {@code group_size}, {@code bits} and {@code mode} for all modules, and
 * overrides by module path ({@code model.layers.0.mlp.gate}), {@code false} for a module that is not quantized.
 */
final class MlxQuantization {

    /** @param mode {@code affine} if the object names none, even in an override of another global mode */
    record Settings(int group, int bits, String mode) {}

    private final Path file;
    private final ObjectNode json;

    private MlxQuantization(Path file, ObjectNode json) {
        this.file = file;
        this.json = json;
    }

    /** Hugging Face's {@code quantization_config} names a {@code quant_method}; MLX's, with the same key, does not. */
    static boolean isIn(ObjectNode config) {
        return find(config) != null;
    }

    static MlxQuantization of(Path file, ObjectNode config) {
        ObjectNode found = find(config);
        return new MlxQuantization(file, found == null ? JsonNodeFactory.instance.objectNode() : found);
    }

    private static ObjectNode find(ObjectNode config) {
        for (String key : new String[] {"quantization", "quantization_config"}) {
            if (config.get(key) instanceof ObjectNode object
                    && object.has("group_size")
                    && !object.has("quant_method")) {
                return object;
            }
        }
        return null;
    }

    /** Empty where the module is not quantized. */
    Optional<Settings> of(String module) {
        JsonNode override = json.get(module);
        if (override == null || (override.isBoolean() && override.asBoolean())) {
            return Optional.of(settings("quantization", json));
        }
        if (override.isBoolean()) {
            return Optional.empty();
        }
        return Optional.of(settings("quantization of " + module, override));
    }

    private Settings settings(String what, JsonNode object) {
        return new Settings(
                number(what, object, "group_size"),
                number(what, object, "bits"),
                object.path("mode").asText("affine"));
    }

    private int number(String what, JsonNode object, String key) {
        JsonNode value = object.path(key);
        if (!value.isInt() || value.asInt() <= 0) {
            throw new CheckpointException(file + ": " + what + " has no whole number " + key);
        }
        return value.asInt();
    }
}
