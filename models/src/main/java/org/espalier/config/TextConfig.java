package org.espalier.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * The part of a multimodal config.json that says how text is computed: the object {@code text_config}, with what transformers reads outside
 * of it. The other keys outside concern images and sound.
 */
public final class TextConfig {

    /** The object's own {@code model_type}, beside the {@code model_type} of the whole. */
    static final String OWN_TYPE = "text_model_type";

    private static final String OBJECT = "text_config";
    private static final String TYPE = "model_type";

    /** Keys whose value outside applies, whatever the object says. */
    private static final List<String> OUTSIDE = List.of(
            TYPE, "tie_word_embeddings", "eos_token_id", "quantization", "quantization_config", "torch_dtype", "dtype");

    private TextConfig() {}

    /** The {@code model_type} that the object has, or else the whole. */
    public static String ownType(ConfigReader config, String whole) {
        return config.text(OWN_TYPE, whole);
    }

    /** Whether a config.json has more parts than text. */
    public static boolean isNested(ObjectNode json) {
        return json.get(OBJECT) instanceof ObjectNode;
    }

    /** The same keys as a model of text alone has; the argument itself where it is one. */
    public static ObjectNode of(ObjectNode json) {
        if (!(json.get(OBJECT) instanceof ObjectNode text)) {
            return json;
        }
        ObjectNode flat = text.deepCopy();
        if (text.has(TYPE)) {
            flat.set(OWN_TYPE, text.get(TYPE));
        }
        for (String key : OUTSIDE) {
            if (json.hasNonNull(key)) {
                flat.set(key, json.get(key));
            }
        }
        return flat;
    }
}
