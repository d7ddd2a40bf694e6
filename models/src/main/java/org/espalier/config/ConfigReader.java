package org.espalier.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reads a config.json key by key and remembers which keys were read. What a record does not read is either known to change nothing
 * or listed by {@link #ignoredKeys}. A key whose value is {@code null} counts as absent, as in transformers.
 */
public final class ConfigReader {
    /** Far above any model; keeps products of two sizes inside a long and lists of layers small. */
    private static final int MAX_SIZE = 1 << 24;

    /** Keys about training, saving or other software, or repeated elsewhere. */
    private static final Set<String> HARMLESS = Set.of(
            "model_type",
            TextConfig.OWN_TYPE,
            "architectures",
            "auto_map",
            "transformers_version",
            "torch_dtype",
            "dtype",
            "_name_or_path",
            "initializer_range",
            "use_cache",
            "bos_token_id",
            "pad_token_id",
            "unk_token_id",
            "return_dict",
            "output_router_logits",
            "router_aux_loss_coef",
            "aux_loss_alpha",
            "seq_aux",
            "attention_dropout",
            "pretraining_tp",
            "ep_size",
            "quantization",
            "num_key_value_heads",
            "head_dim",
            "qk_head_dim",
            "_attn_implementation_autoset",
            "use_bfloat16",
            "id2label",
            "label2id",
            "is_encoder_decoder",
            "chunk_size_feed_forward",
            "output_attentions",
            "output_hidden_states",
            "problem_type");

    /** Kimi's groups of 4-bit numbers, DeepSeek's blocks of 8-bit floats, gpt-oss's of 4-bit ones. */
    private static final List<String> READABLE_QUANTIZATION = List.of(CompressedTensors.METHOD, "fp8", "mxfp4");

    private final ObjectNode json;
    private final String where;
    private final Set<String> read;
    private final List<String> ignoredInObjects = new ArrayList<>();

    public ConfigReader(ObjectNode json) {
        this(json, "", new HashSet<>(HARMLESS));
    }

    private ConfigReader(ObjectNode json, String where, Set<String> read) {
        this.json = json;
        this.where = where;
        this.read = read;
    }

    /** Keys that were neither read nor known to be harmless, sorted; after them those of objects, see {@link #ignoredToo}. */
    public List<String> ignoredKeys() {
        Set<String> ignored = new TreeSet<>();
        json.fieldNames().forEachRemaining(key -> {
            if (!read.contains(key)) {
                ignored.add(where + key);
            }
        });
        List<String> all = new ArrayList<>(ignored);
        all.addAll(ignoredInObjects);
        return List.copyOf(all);
    }

    /** Adds the keys that were not read of an object in this config. */
    void ignoredToo(ConfigReader object) {
        ignoredInObjects.addAll(object.ignoredKeys());
    }

    /** Marks keys as harmless: they change nothing here, or repeat others. */
    public void ignore(String... keys) {
        read.addAll(List.of(keys));
    }

    /** Whether the key is present, even as {@code null}. */
    public boolean mentions(String key) {
        return json.has(key);
    }

    public boolean has(String key) {
        read.add(key);
        return json.hasNonNull(key);
    }

    /** A whole number from 1 on. */
    public int size(String key) {
        return number(key, 1, MAX_SIZE);
    }

    public int size(String key, int fallback) {
        return has(key) ? size(key) : fallback;
    }

    /** A whole number from 0 on. */
    public int count(String key) {
        return number(key, 0, MAX_SIZE);
    }

    public int count(String key, int fallback) {
        return has(key) ? count(key) : fallback;
    }

    /** A whole number from {@code least} to {@code most}. */
    public int number(String key, int least, int most) {
        JsonNode value = required(key);
        // 128.0 is whole too
        if (!value.isNumber()
                || value.asDouble() != value.asLong()
                || value.asLong() < least
                || value.asLong() > most) {
            throw wrong(key, value, "a whole number from " + least + " to " + most);
        }
        return value.asInt();
    }

    /** A finite number of 0 or more. */
    public float real(String key) {
        JsonNode value = required(key);
        float number = value.floatValue();
        if (!value.isNumber() || !Float.isFinite(number) || number < 0) {
            throw wrong(key, value, "a number of 0 or more");
        }
        return number;
    }

    float real(String key, float fallback) {
        return has(key) ? real(key) : fallback;
    }

    /** A finite number above 0. */
    public float positive(String key) {
        float number = real(key);
        if (number == 0) {
            throw wrong(key, json.get(key), "a number above 0");
        }
        return number;
    }

    public float positive(String key, float fallback) {
        return has(key) ? positive(key) : fallback;
    }

    /** {@code true} or {@code false}. */
    public boolean flag(String key) {
        JsonNode value = required(key);
        if (!value.isBoolean()) {
            throw wrong(key, value, "true or false");
        }
        return value.asBoolean();
    }

    public boolean flagOrFalse(String key) {
        return has(key) && flag(key);
    }

    public boolean flagOrTrue(String key) {
        return !has(key) || flag(key);
    }

    boolean isText(String key) {
        return has(key) && json.get(key).isTextual();
    }

    public String text(String key, String fallback) {
        if (!has(key)) {
            return fallback;
        }
        if (json.get(key) instanceof TextNode text) {
            return text.asText();
        }
        throw wrong(key, json.get(key), "a text");
    }

    /** One id or a list of them. */
    Set<Integer> ids(String key, Set<Integer> fallback) {
        read.add(key);
        if (!json.has(key)) {
            return fallback;
        }
        Set<Integer> ids = new LinkedHashSet<>();
        JsonNode value = json.get(key);
        for (JsonNode id : value.isArray() ? value : List.of(value)) {
            if (!id.isNull() && !(id.isIntegralNumber() && id.canConvertToInt())) {
                throw wrong(key, value, "a token id or a list of them");
            }
            if (id.asInt(-1) >= 0) {
                ids.add(id.asInt());
            }
        }
        return Set.copyOf(ids);
    }

    /** A list of texts, each one of {@code computed}. */
    List<String> texts(String key, List<String> computed) {
        List<String> texts = new ArrayList<>();
        for (JsonNode text : list(key)) {
            if (!computed.contains(text.asText())) {
                throw wrong(key, json.get(key), "a list of " + String.join(", ", computed));
            }
            texts.add(text.asText());
        }
        return texts;
    }

    private JsonNode list(String key) {
        JsonNode value = required(key);
        if (!value.isArray()) {
            throw wrong(key, value, "a list");
        }
        return value;
    }

    /** The places of 1 in a list of {@code size} numbers 0 and 1. */
    List<Integer> marked(String key, int size) {
        JsonNode value = list(key);
        List<Integer> places = new ArrayList<>();
        boolean marks = value.size() == size;
        for (int i = 0; i < value.size(); i++) {
            double number = value.get(i).asDouble(-1);
            marks &= number == 0 || number == 1;
            if (number == 1) {
                places.add(i);
            }
        }
        require(marks, key, "0 or 1 for each of " + size + " layers");
        return places;
    }

    /** {@code [divisors]} and the like. */
    List<Float> reals(String key) {
        JsonNode value = list(key);
        List<Float> numbers = new ArrayList<>();
        for (JsonNode number : value) {
            if (!number.isNumber() || !(number.floatValue() > 0) || !Float.isFinite(number.floatValue())) {
                throw wrong(key, value, "a list of numbers above 0");
            }
            numbers.add(number.floatValue());
        }
        return numbers;
    }

    /** Fails unless the key is absent or has the value that is computed. */
    public void only(String key, String computed) {
        String found = text(key, computed);
        if (!found.equals(computed)) {
            throw notSupported(key, found, computed);
        }
    }

    /** Fails unless the key is absent or has the number that is computed. */
    public void only(String key, int computed) {
        if (has(key) && (!json.get(key).isNumber() || json.get(key).asDouble() != computed)) {
            throw notSupported(key, json.get(key), computed);
        }
    }

    /** Fails unless the key is absent or true. */
    public void onlyTrue(String key) {
        if (!flagOrTrue(key)) {
            throw notSupported(key, false, true);
        }
    }

    /** Fails unless the key is absent or a list of nothing but the number that is computed. */
    public void onlyEach(String key, int computed) {
        for (JsonNode number : has(key) ? list(key) : List.<JsonNode>of()) {
            if (!number.isNumber() || number.asDouble() != computed) {
                throw notSupported(key, json.get(key), "a list of " + computed);
            }
        }
    }

    /** Fails where the key has any value but an object without keys. */
    void empty(String key) {
        if (has(key) && !(json.get(key).isObject() && json.get(key).isEmpty())) {
            throw notSupported(key, json.get(key), "no keys in it");
        }
    }

    /** Fails where the key has any value but {@code false}. */
    public void absent(String key) {
        if (has(key) && !(json.get(key).isBoolean() && !json.get(key).asBoolean())) {
            throw notSupported(key, json.get(key), "no value");
        }
    }

    /** The object under the key, its own keys counted apart. */
    ConfigReader object(String key) {
        if (!has(key)) {
            throw wrong(key, "an object");
        }
        if (json.get(key) instanceof ObjectNode object) {
            return new ConfigReader(object, where + key + ".", new HashSet<>());
        }
        throw wrong(key, json.get(key), "an object");
    }

    /** The objects in the object under the key, whatever their names. */
    List<ConfigReader> objects(String key) {
        ConfigReader all = object(key);
        List<ConfigReader> objects = new ArrayList<>();
        all.json.fieldNames().forEachRemaining(name -> objects.add(all.object(name)));
        return objects;
    }

    /** MLX's own {@code quantization_config} has no method; any other names one, and most are not read (gptq, awq ...). */
    public void refuseForeignQuantization() {
        if (has("quantization_config")) {
            ConfigReader quantization = object("quantization_config");
            String method = quantization.text("quant_method", null);
            if (method != null && !READABLE_QUANTIZATION.contains(method)) {
                throw quantization.notSupported("quant_method", method, String.join(", ", READABLE_QUANTIZATION));
            }
            if (CompressedTensors.METHOD.equals(method)) {
                CompressedTensors.require(quantization);
            }
        }
    }

    /** That the value changes the computation in a way that is not done here, for whoever throws it. */
    public ConfigException notSupported(String key, Object found, Object computed) {
        return new ConfigException(where + key + " is " + found + ", which is not supported: expected " + computed);
    }

    /** That the key's value is not one that makes sense, for whoever throws it. */
    public ConfigException wrong(String key, String expected) {
        return wrong(key, json.path(key), expected);
    }

    /** @throws ConfigException with what is expected, unless {@code holds} */
    void require(boolean holds, String key, String expected) {
        if (!holds) {
            throw wrong(key, expected);
        }
    }

    private JsonNode required(String key) {
        if (!has(key)) {
            throw new ConfigException("the required key " + where + key + " is missing");
        }
        return json.get(key);
    }

    private ConfigException wrong(String key, JsonNode found, String expected) {
        String value = found.isMissingNode() ? "absent" : found.toString();
        String shown = value.length() > 80 ? value.substring(0, 80) + "..." : value;
        return new ConfigException(where + key + " is " + shown + ", expected " + expected);
    }
}
