package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Derives config.json's keys from GGUF metadata, whose keys all begin with the architecture's name. Keys that are not asked for go into the
 * config under their own names, so that its reader can list them.
 */
public final class GgufConfig {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** The converter writes the multiplier of 0.1 ln(factor) + 1, which is the config's {@code mscale_all_dim}, times 0.1. */
    private static final double LOG_MULTIPLIER = 0.1;

    /** Metadata of every decoder, and its keys in config.json. */
    private static final Map<String, String> DECODER = Map.of(
            "context_length", "max_position_embeddings",
            "embedding_length", "hidden_size",
            "block_count", "num_hidden_layers",
            "feed_forward_length", "intermediate_size",
            "attention.head_count", "num_attention_heads",
            "attention.head_count_kv", "num_key_value_heads",
            "attention.layer_norm_rms_epsilon", "rms_norm_eps",
            "rope.freq_base", "rope_theta",
            "vocab_size", "vocab_size");

    /** Keys that change the computation, with the value that does not. */
    private static final Map<String, Object> NEUTRAL = Map.of(
            "attention.causal", true,
            "attention.clamp_kqv", 0L,
            "attention.max_alibi_bias", 0L,
            "attention.sliding_window", 0L,
            "attention.temperature_scale", 0L,
            "expert_count", 0L,
            "use_parallel_residual", false,
            "tensor_data_layout", "Meta AI original pth");

    /** Repeats other keys, or concerns training only. */
    private static final Set<String> REDUNDANT = Set.of("expert_used_count", "rope.scaling.finetuned");

    private final GgufFile file;
    private final String prefix;
    private final ObjectNode json = JSON.objectNode();
    private final Set<String> used = new HashSet<>();

    GgufConfig(GgufFile file, String modelType) {
        this.file = file;
        this.prefix = file.text("general.architecture") + ".";
        json.put("model_type", modelType).put("hidden_act", "silu");
    }

    /** Sets sizes, vocabulary, end-of-sequence ids, tied embeddings and rope scaling. */
    GgufConfig decoder() {
        DECODER.forEach((key, configKey) -> {
            if (!(file.metadata().get(prefix + key) instanceof List)) { // by layer, where the architecture asks for it
                number(key, configKey);
            }
        });
        if (!json.has("vocab_size")) {
            json.put("vocab_size", file.list("tokenizer.ggml.tokens").size());
        }
        json.put("tie_word_embeddings", !holds("output.weight"));
        Set<Long> ends = new LinkedHashSet<>();
        for (String key : List.of("eos_token_id", "eot_token_id", "eom_token_id")) {
            if (file.metadata().get("tokenizer.ggml." + key) instanceof Number id) {
                ends.add(id.longValue());
            }
        }
        ArrayNode ids = json.putArray("eos_token_id");
        ends.forEach(ids::add);
        if (file.metadata().get("tokenizer.ggml.bos_token_id") instanceof Number id) {
            json.put("bos_token_id", id.longValue());
        }
        ropeScaling();
        return this;
    }

    /** Heads whose keys and values are of one width, all of whose columns rotate. */
    public GgufConfig wholeHeads() {
        heads();
        only("rope.dimension_count", headWidth());
        return this;
    }

    /**
     * Multi-head latent attention. Newer files count the absorbed heads: one key head as wide as latent and rope together, and give the widths of the
     * full heads under keys of their own.
     */
    public GgufConfig latentHeads() {
        long rope = whole("rope.dimension_count", 0);
        long key = whole("attention.key_length", 0);
        long value = whole("attention.value_length", 0);
        put("qk_rope_head_dim", rope);
        put("qk_nope_head_dim", whole("attention.key_length_mla", key) - rope);
        put("v_head_dim", whole("attention.value_length_mla", value));
        number("attention.q_lora_rank", "q_lora_rank");
        number("attention.kv_lora_rank", "kv_lora_rank");
        double scale = real("rope.scaling.yarn_log_multiplier", 0) / LOG_MULTIPLIER;
        if (scaling() != null && scale != 0) {
            scaling().put("mscale", scale).put("mscale_all_dim", scale); // equal in all published models
        }
        return this;
    }

    /** DeepSeekMoE: dense layers first, then layers of routed experts and shared ones. */
    public GgufConfig deepseekExperts() {
        number("expert_count", "n_routed_experts");
        number("expert_used_count", "num_experts_per_tok");
        number("expert_feed_forward_length", "moe_intermediate_size");
        put("n_shared_experts", whole("expert_shared_count", 0));
        put("first_k_dense_replace", whole("leading_dense_block_count", 0));
        return put("routed_scaling_factor", real("expert_weights_scale", 1));
    }

    /** The last blocks predict further tokens; decoder layers are those before. */
    public GgufConfig nextTokenLayers() {
        long nextToken = whole("nextn_predict_layers", 0);
        put("num_hidden_layers", whole("block_count", 0) - nextToken);
        return put("num_nextn_predict_layers", nextToken);
    }

    /** DeepSeek's lightning indexer. */
    public GgufConfig indexer() {
        number("attention.indexer.head_count", "index_n_heads");
        number("attention.indexer.key_length", "index_head_dim");
        return number("attention.indexer.top_k", "index_topk");
    }

    /** Gated DeltaNet beside attention of which a part of each head rotates; the sections of images' positions are the same for text. */
    public GgufConfig gatedDelta() {
        heads();
        long headWidth = headWidth();
        if (headWidth > 0) {
            put("partial_rotary_factor", whole("rope.dimension_count", headWidth) / (double) headWidth);
        }
        long valueHeads = whole("ssm.time_step_rank", 0);
        put("linear_num_value_heads", valueHeads);
        if (valueHeads > 0) {
            put("linear_value_head_dim", whole("ssm.inner_size", 0) / (double) valueHeads);
        }
        number("ssm.group_count", "linear_num_key_heads");
        number("ssm.state_size", "linear_key_head_dim");
        number("ssm.conv_kernel", "linear_conv_kernel_dim");
        number("full_attention_interval", "full_attention_interval");
        recurrentLayers();
        value("rope.dimension_sections");
        return nextTokenLayers();
    }

    private void recurrentLayers() {
        List<Boolean> recurrent = flags("attention.recurrent_layers");
        if (!recurrent.isEmpty()) {
            ArrayNode types = json.putArray("layer_types");
            long layers = whole("block_count", 0) - whole("nextn_predict_layers", 0);
            recurrent.stream()
                    .limit(Math.max(0, layers))
                    .forEach(is -> types.add(is ? "linear_attention" : "full_attention"));
        }
    }

    /** DeepSeek's groups of experts. */
    public GgufConfig groups(long fallbackCount, long fallbackKept) {
        put("n_group", whole("expert_group_count", fallbackCount));
        return put("topk_group", whole("expert_group_used_count", fallbackKept));
    }

    /** Heads whose keys and values are of one width. */
    public GgufConfig heads() {
        number("attention.key_length", "head_dim");
        only("attention.value_length", headWidth());
        return this;
    }

    /** The width of a head; 0 if the file does not say. */
    public long headWidth() {
        long heads = whole("attention.head_count", 0);
        return whole("attention.key_length", heads > 0 ? whole("embedding_length", 0) / heads : 0);
    }

    /** Fails unless the key is absent or has the value; if that is 0, any value is accepted. */
    public void only(String key, long expected) {
        if (value(key) != null && expected > 0) {
            boolean same = value(key) instanceof Number number && number.doubleValue() == expected;
            require(same, key, expected);
        }
    }

    /** Rope scaling as keys, or as llama.cpp's divisors of the frequencies. */
    private void ropeScaling() {
        value("rope.scaling.finetuned");
        Object type = value("rope.scaling.type") == null ? "none" : value("rope.scaling.type");
        boolean divided = holds(GgufRopeDivisors.TENSOR);
        only("rope.scale_linear", 1);
        if (divided || type.equals("none")) {
            require(type.equals("none"), "rope.scaling.type", "none");
            GgufRopeDivisors.of(file).ifPresent(divisors -> {
                ObjectNode scaling = json.putObject("rope_scaling").put("rope_type", "gguf_divisors");
                ArrayNode numbers = scaling.putArray("divisors");
                divisors.forEach(numbers::add);
            });
            return;
        }
        require(type.equals("linear") || type.equals("yarn"), "rope.scaling.type", "none, linear or yarn");
        ObjectNode scaling = json.putObject("rope_scaling").put("rope_type", type.toString());
        numberInto(scaling, "rope.scaling.factor", "factor");
        if (type.equals("yarn")) {
            numberInto(scaling, "rope.scaling.original_context_length", "original_max_position_embeddings");
            numberInto(scaling, "rope.scaling.yarn_beta_fast", "beta_fast");
            numberInto(scaling, "rope.scaling.yarn_beta_slow", "beta_slow");
            only("rope.scaling.attn_factor", 1);
            only("rope.scaling.yarn_attn_factor", 1);
            only("rope.scaling.yarn_ext_factor", 1);
        }
    }

    /** The metadata's number under another name; nothing where it is absent. */
    public GgufConfig number(String key, String configKey) {
        return numberInto(json, key, configKey);
    }

    private GgufConfig numberInto(ObjectNode object, String key, String configKey) {
        Object value = value(key);
        if (value != null) {
            object.set(configKey, scalar(key, value));
        }
        return this;
    }

    /** The metadata's truth value; false where it is absent. */
    public boolean flagOrFalse(String key) {
        return value(key) != null && flag(key);
    }

    /** The metadata's truth value; true where it is absent. */
    public boolean flagOrTrue(String key) {
        return value(key) == null || flag(key);
    }

    private boolean flag(String key) {
        if (value(key) instanceof Boolean flag) {
            return flag;
        }
        throw wrong(key, value(key), "true or false");
    }

    /** The metadata's truth values, as such or as numbers; empty where the key is absent. */
    public List<Boolean> flags(String key) {
        if (value(key) == null) {
            return List.of();
        }
        if (!(value(key) instanceof List<?> values)) {
            throw wrong(key, value(key), "a list");
        }
        List<Boolean> flags = new ArrayList<>();
        for (Object value : values) {
            boolean number = value instanceof Number n && (n.doubleValue() == 0 || n.doubleValue() == 1);
            if (!(value instanceof Boolean) && !number) {
                throw wrong(key, value, "true or false");
            }
            flags.add(value.equals(true) || number && ((Number) value).intValue() == 1);
        }
        return flags;
    }

    /** The metadata's whole numbers, one for each layer. */
    public List<Long> wholes(String key) {
        if (!(value(key) instanceof List<?> values)) {
            throw wrong(key, value(key), "a list");
        }
        List<Long> numbers = new ArrayList<>();
        for (Object value : values) {
            numbers.add(scalar(key, value).longValue());
        }
        return numbers;
    }

    /** The metadata's whole number, or {@code fallback}. */
    public long whole(String key, long fallback) {
        Object value = value(key);
        if (value == null) {
            return fallback;
        }
        if (value instanceof Number number && number.doubleValue() == number.longValue()) {
            return number.longValue();
        }
        throw wrong(key, value, "a whole number");
    }

    /** The metadata's number, or {@code fallback}. */
    public double real(String key, double fallback) {
        Object value = value(key);
        return value == null ? fallback : scalar(key, value).doubleValue();
    }

    /** A number, a text or a truth value of the config. */
    public GgufConfig put(String configKey, Object value) {
        json.set(configKey, node(value));
        return this;
    }

    /** As an ObjectMapper makes it of what metadata hold. Loading one takes longer than reading most files. */
    private static JsonNode node(Object value) {
        if (value instanceof Long number) {
            return JSON.numberNode(number);
        }
        if (value instanceof Integer number) {
            return JSON.numberNode(number);
        }
        if (value instanceof Double number) {
            return JSON.numberNode(number);
        }
        if (value instanceof Boolean truth) {
            return JSON.booleanNode(truth);
        }
        return value instanceof String text ? JSON.textNode(text) : new ObjectMapper().valueToTree(value);
    }

    /** {@code rope_scaling}, where there is one. */
    public ObjectNode scaling() {
        return json.get("rope_scaling") instanceof ObjectNode scaling ? scaling : null;
    }

    public boolean holds(String tensor) {
        return file.tensors().containsKey(tensor);
    }

    /** Finishes the config: keys that were not asked for are added or refused. */
    ObjectNode finish() {
        file.metadata().forEach((key, value) -> {
            String own = key.startsWith(prefix) ? key.substring(prefix.length()) : "";
            if (own.isEmpty() || used.contains(own) || REDUNDANT.contains(own)) {
                return;
            }
            if (DECODER.containsKey(own)) {
                throw wrong(own, value, "a number");
            }
            Object neutral = NEUTRAL.get(own);
            if (neutral == null) {
                json.put(key, shown(value));
            } else {
                boolean zero = value instanceof Number number && number.doubleValue() == 0 && neutral.equals(0L);
                require(zero || neutral.equals(value), own, neutral);
            }
        });
        return json;
    }

    /** The key's value; the key counts as asked for. */
    private Object value(String key) {
        used.add(key);
        return file.metadata().get(prefix + key);
    }

    private JsonNode scalar(String key, Object value) {
        if (value instanceof Float number) {
            return JSON.numberNode(number);
        }
        if (value instanceof Double number) {
            return JSON.numberNode(number);
        }
        if (value instanceof Number number && number.doubleValue() == number.longValue()) {
            return JSON.numberNode(number.longValue());
        }
        throw wrong(key, value, "a number");
    }

    private CheckpointException wrong(String key, Object value, String expected) {
        return new CheckpointException(
                file.path() + ": metadata key " + prefix + key + " is " + shown(value) + ", expected " + expected);
    }

    private static String shown(Object value) {
        return value instanceof List ? "a list" : String.valueOf(value);
    }

    private void require(boolean computed, String key, Object expected) {
        if (!computed) {
            Object found = file.metadata().get(prefix + key);
            throw new CheckpointException(file.path() + ": metadata key " + prefix + key + " is " + shown(found)
                    + ", which is not supported: expected " + expected);
        }
    }

    /** @throws CheckpointException that the key's value is not supported */
    public void refuse(String key, Object computed) {
        require(false, key, computed);
    }
}
