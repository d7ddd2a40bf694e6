package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * GGUF's architecture {@code llama}: names, and metadata as config.json's keys. Keys that are not known here go into the config under
 * their own name, so that whoever reads it can list them.
 */
final class GgufLlama implements GgufArchitecture {
    private static final String PREFIX = "llama.";
    private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d{1,5})\\.(\\w+)\\.(weight|bias)");

    private static final Map<String, String> OUTER = Map.of(
            "token_embd.weight", "model.embed_tokens.weight",
            "output_norm.weight", "model.norm.weight",
            "output.weight", "lm_head.weight");

    private static final Map<String, String> IN_BLOCK = Map.of(
            "attn_norm", "input_layernorm",
            "attn_q", "self_attn.q_proj",
            "attn_k", "self_attn.k_proj",
            "attn_v", "self_attn.v_proj",
            "attn_output", "self_attn.o_proj",
            "ffn_norm", "post_attention_layernorm",
            "ffn_gate", "mlp.gate_proj",
            "ffn_up", "mlp.up_proj",
            "ffn_down", "mlp.down_proj");

    private static final Map<String, String> KEYS = Map.of(
            "context_length", "max_position_embeddings",
            "embedding_length", "hidden_size",
            "block_count", "num_hidden_layers",
            "feed_forward_length", "intermediate_size",
            "attention.head_count", "num_attention_heads",
            "attention.head_count_kv", "num_key_value_heads",
            "attention.layer_norm_rms_epsilon", "rms_norm_eps",
            "attention.key_length", "head_dim",
            "rope.freq_base", "rope_theta",
            "vocab_size", "vocab_size");

    /** Keys that change the computation, with the value that changes nothing. */
    private static final Map<String, Object> NEUTRAL = Map.of(
            "expert_count", 0L,
            "attention.causal", true,
            "attention.clamp_kqv", 0L,
            "attention.max_alibi_bias", 0L,
            "attention.sliding_window", 0L,
            "use_parallel_residual", false,
            "tensor_data_layout", "Meta AI original pth");

    /** Said by other keys, or about training only. */
    private static final Set<String> REDUNDANT =
            Set.of("expert_used_count", "rope.dimension_count", "rope.scaling.finetuned");

    @Override
    public Optional<String> publishedName(String ggufName) {
        Matcher block = BLOCK.matcher(ggufName);
        if (block.matches() && IN_BLOCK.containsKey(block.group(2))) {
            int layer = Integer.parseInt(block.group(1));
            return Optional.of("model.layers." + layer + "." + IN_BLOCK.get(block.group(2)) + "." + block.group(3));
        }
        return Optional.ofNullable(OUTER.get(ggufName));
    }

    @Override
    public ObjectNode config(GgufFile file) {
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        config.put("model_type", "llama").put("hidden_act", "silu");
        file.metadata().forEach((key, value) -> {
            if (key.startsWith(PREFIX)) {
                putKey(config, file, key.substring(PREFIX.length()), value);
            }
        });
        if (!config.has("vocab_size")) {
            config.put("vocab_size", file.list("tokenizer.ggml.tokens").size());
        }
        config.put("tie_word_embeddings", !file.tensors().containsKey("output.weight"));
        config.put("attention_bias", file.tensors().containsKey("blk.0.attn_q.bias"));
        config.put("mlp_bias", file.tensors().containsKey("blk.0.ffn_gate.bias"));
        putEndOfSequence(config, file);
        putRope(config, file);
        return config;
    }

    private static void putKey(ObjectNode config, GgufFile file, String key, Object value) {
        Object neutral = NEUTRAL.get(key);
        if (neutral != null) {
            boolean same = value instanceof Number number
                    ? neutral.equals(number.longValue()) && number.doubleValue() == 0
                    : neutral.equals(value);
            require(same, file, key, value, neutral);
        } else if (KEYS.containsKey(key)) {
            config.set(KEYS.get(key), scalar(file, key, value));
        } else if (!REDUNDANT.contains(key)
                && !key.startsWith("rope.scaling.")
                && !key.equals("attention.value_length")) {
            config.put(PREFIX + key, String.valueOf(value));
        }
    }

    private static JsonNode scalar(GgufFile file, String key, Object value) {
        if (value instanceof Float number) {
            return JsonNodeFactory.instance.numberNode(number);
        }
        if (value instanceof Double number) {
            return JsonNodeFactory.instance.numberNode(number);
        }
        if (value instanceof Number number && number.doubleValue() == number.longValue()) {
            return JsonNodeFactory.instance.numberNode(number.longValue());
        }
        throw new CheckpointException(file.path() + ": metadata key " + PREFIX + key + " is "
                + (value instanceof List ? "a list" : value) + ", expected a number");
    }

    private static void putEndOfSequence(ObjectNode config, GgufFile file) {
        Set<Long> ends = new LinkedHashSet<>();
        for (String key : List.of("eos_token_id", "eot_token_id")) {
            if (file.metadata().get("tokenizer.ggml." + key) instanceof Number id) {
                ends.add(id.longValue());
            }
        }
        ArrayNode ids = config.putArray("eos_token_id");
        ends.forEach(ids::add);
        if (file.metadata().get("tokenizer.ggml.bos_token_id") instanceof Number id) {
            config.put("bos_token_id", id.longValue());
        }
    }

    private static void putRope(ObjectNode config, GgufFile file) {
        Map<String, Object> metadata = file.metadata();
        Object heads = metadata.get(PREFIX + "attention.head_count");
        Object hidden = metadata.get(PREFIX + "embedding_length");
        Object width = metadata.get(PREFIX + "attention.key_length");
        if (width == null && heads instanceof Number h && hidden instanceof Number d && h.longValue() > 0) {
            width = d.longValue() / h.longValue();
        }
        for (String key : List.of("rope.dimension_count", "attention.value_length")) {
            Object value = metadata.getOrDefault(PREFIX + key, width);
            boolean whole = value instanceof Number v && width instanceof Number w && v.longValue() == w.longValue();
            require(width == null || whole, file, key, value, width);
        }
        Object type = metadata.getOrDefault(PREFIX + "rope.scaling.type", "none");
        Object linear = metadata.get(PREFIX + "rope.scale_linear");
        require(type.equals("none"), file, "rope.scaling.type", type, "none");
        require(
                linear == null || linear instanceof Number n && n.doubleValue() == 1,
                file,
                "rope.scale_linear",
                linear,
                1);
        GgufRopeDivisors.of(file).ifPresent(divisors -> {
            ObjectNode scaling = config.putObject("rope_scaling").put("rope_type", "gguf_divisors");
            ArrayNode numbers = scaling.putArray("divisors");
            divisors.forEach(numbers::add);
        });
    }

    private static void require(boolean computed, GgufFile file, String key, Object found, Object expected) {
        if (!computed) {
            throw new CheckpointException(file.path() + ": metadata key " + PREFIX + key + " is "
                    + (found instanceof List ? "a list" : found) + ", only " + expected + " is computed");
        }
    }

    /** llama.cpp's converter permutes the rows of q and k so that neighbours turn together. */
    @Override
    public Checkpoint.RopePairing ropePairing(Checkpoint.RopePairing published) {
        return Checkpoint.RopePairing.INTERLEAVED;
    }
}
