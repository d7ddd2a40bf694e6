package org.espalier.checkpoint;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The published names of a GGUF architecture's tensors, by the file's own
 * (<a href="https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py">gguf-py's constants</a>).
 */
public final class GgufNames {
    private static final Pattern BLOCK =
            Pattern.compile("blk\\.(\\d{1,5})\\.(.+?)(?:\\.(\\d{1,5}))?(\\.weight|\\.bias|)");

    private static final Map<String, String> OUTER = Map.of(
            "token_embd.weight", "model.embed_tokens.weight",
            "output_norm.weight", "model.norm.weight",
            "output.weight", "lm_head.weight");

    private static final Map<String, String> DENSE = Map.of(
            "attn_norm", "input_layernorm",
            "attn_q", "self_attn.q_proj",
            "attn_k", "self_attn.k_proj",
            "attn_v", "self_attn.v_proj",
            "attn_output", "self_attn.o_proj",
            "ffn_norm", "post_attention_layernorm",
            "ffn_gate", "mlp.gate_proj",
            "ffn_up", "mlp.up_proj",
            "ffn_down", "mlp.down_proj");

    private final Map<String, String> inBlock;

    private GgufNames(Map<String, String> inBlock) {
        this.inBlock = Map.copyOf(inBlock);
    }

    /** Norms, grouped-query attention and gated MLP. */
    public static GgufNames dense() {
        return new GgufNames(DENSE);
    }

    /**
     * Adds names, which replace those of the same key. A key with {@code .weight} or {@code .bias} is a tensor, one that ends in a dot a
     * tensor which has neither; one without is a module that may have either; {@code ffn_gate.*} is a tensor of one expert, and the {@code *} of its published name is that expert.
     */
    public GgufNames with(Map<String, String> more) {
        Map<String, String> all = new HashMap<>(inBlock);
        all.putAll(more);
        return new GgufNames(all);
    }

    /** Each head of q and k is normed. */
    public GgufNames withHeadNorms() {
        return with(Map.of("attn_q_norm", "self_attn.q_norm", "attn_k_norm", "self_attn.k_norm"));
    }

    /** Stacks of experts and their router in the module {@code mlp}. */
    public GgufNames withExperts() {
        return with(Map.of(
                "ffn_gate_inp", "mlp.gate",
                "ffn_gate_exps", "mlp.experts.*.gate_proj",
                "ffn_up_exps", "mlp.experts.*.up_proj",
                "ffn_down_exps", "mlp.experts.*.down_proj"));
    }

    /** @param module for instance {@code shared_experts} */
    public GgufNames withSharedExperts(String module) {
        return with(Map.of(
                "ffn_gate_shexp", "mlp." + module + ".gate_proj",
                "ffn_up_shexp", "mlp." + module + ".up_proj",
                "ffn_down_shexp", "mlp." + module + ".down_proj"));
    }

    /** Multi-head latent attention; {@code kv_b_proj} whole or, in newer files, in the two parts that MLX has. */
    public GgufNames withLatentAttention() {
        return with(Map.of(
                "attn_q_a", "self_attn.q_a_proj",
                "attn_q_a_norm", "self_attn.q_a_layernorm",
                "attn_q_b", "self_attn.q_b_proj",
                "attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa",
                "attn_kv_a_norm", "self_attn.kv_a_layernorm",
                "attn_kv_b", "self_attn.kv_b_proj",
                "attn_k_b", "self_attn.embed_q",
                "attn_v_b", "self_attn.unembed_out"));
    }

    /** DeepSeek's lightning indexer. */
    public GgufNames withIndexer() {
        return with(Map.of(
                "indexer.attn_q_b", "self_attn.indexer.wq_b",
                "indexer.attn_k", "self_attn.indexer.wk",
                "indexer.k_norm", "self_attn.indexer.k_norm",
                "indexer.proj", "self_attn.indexer.weights_proj"));
    }

    /** Gated DeltaNet, whose output gate is a projection of its own. */
    public GgufNames withGatedDelta() {
        return with(Map.of(
                "attn_qkv", "linear_attn.in_proj_qkv",
                "attn_gate", "linear_attn.in_proj_z",
                "ssm_ba", "linear_attn.in_proj_ba",
                "ssm_beta", "linear_attn.in_proj_b",
                "ssm_alpha", "linear_attn.in_proj_a",
                "ssm_a.", "linear_attn.A",
                "ssm_dt.bias", "linear_attn.dt_bias",
                "ssm_conv1d", "linear_attn.conv1d",
                "ssm_norm", "linear_attn.norm",
                "ssm_out", "linear_attn.out_proj"));
    }

    /** Layers of multi-token prediction, which are the last blocks. */
    public GgufNames withNextToken() {
        return with(Map.of(
                "nextn.eh_proj", "eh_proj",
                "nextn.embed_tokens", "embed_tokens",
                "nextn.enorm", "enorm",
                "nextn.hnorm", "hnorm",
                "nextn.shared_head_head", "shared_head.head",
                "nextn.shared_head_norm", "shared_head.norm"));
    }

    /** The published name, with {@link NamedWeights#EVERY} if the tensor is a stack; empty if the architecture does not use it. */
    Optional<String> published(String ggufName) {
        Matcher block = BLOCK.matcher(ggufName);
        if (!block.matches()) {
            return Optional.ofNullable(OUTER.get(ggufName));
        }
        String prefix = "model.layers." + Integer.parseInt(block.group(1)) + ".";
        String end = block.group(4);
        String expert = block.group(3);
        if (expert != null) {
            return Optional.ofNullable(inBlock.get(block.group(2) + "." + NamedWeights.EVERY))
                    .map(name -> prefix + name.replace(NamedWeights.EVERY, expert) + end);
        }
        String tensor = inBlock.get(block.group(2) + (end.isEmpty() ? "." : end));
        if (tensor != null || end.isEmpty()) {
            return Optional.ofNullable(tensor).map(name -> prefix + name);
        }
        return Optional.ofNullable(inBlock.get(block.group(2))).map(name -> prefix + name + end);
    }
}
