"""llama-tiny: tied embeddings and llama3 rope scaling as f16 safetensors; and a GGUF of four tensor types."""

import json

import gguf
import numpy as np
import torch
from safetensors.torch import save_file

import tiny_tokenizer
from tiny_weights import Weights, output_rows

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "torch_dtype": "float16",
    "vocab_size": tiny_tokenizer.VOCABULARY,
    "bos_token_id": tiny_tokenizer.BOS,
    "eos_token_id": tiny_tokenizer.EOS,
    "hidden_act": "silu",
    "initializer_range": 0.02,
    "attention_bias": False,
    "attention_dropout": 0.0,
    "mlp_bias": False,
    "tie_word_embeddings": True,
    "use_cache": True,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-05,
    "rope_theta": 500000.0,
    "rope_scaling": {
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    },
}

EMBEDDING = 0.5


def weights(seed, dtype):
    c, w = CONFIG, Weights(seed, dtype)
    hidden, head = c["hidden_size"], c["head_dim"]
    queries, keys = c["num_attention_heads"] * head, c["num_key_value_heads"] * head
    # The embedding is the output too: small beside what the layers add, or every token would predict itself.
    w.tensors["model.embed_tokens.weight"] = (output_rows(w, c["vocab_size"], hidden) * EMBEDDING).to(dtype)
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}"
        w.norm(f"{p}.input_layernorm", hidden)
        w.linear(f"{p}.self_attn.q_proj", queries, hidden)
        w.linear(f"{p}.self_attn.k_proj", keys, hidden)
        w.linear(f"{p}.self_attn.v_proj", keys, hidden)
        w.linear(f"{p}.self_attn.o_proj", hidden, queries, 2.0)
        w.norm(f"{p}.post_attention_layernorm", hidden)
        w.linear(f"{p}.mlp.gate_proj", c["intermediate_size"], hidden)
        w.linear(f"{p}.mlp.up_proj", c["intermediate_size"], hidden)
        w.linear(f"{p}.mlp.down_proj", hidden, c["intermediate_size"], 2.0)
    w.tensors["model.norm.weight"] = ((1 + 0.1 * w.normal(hidden)) / EMBEDDING).to(dtype)
    return w.tensors


def write_hf(folder, seed):
    save_file(weights(seed, torch.float16), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    tiny_tokenizer.write(folder)


# ---- GGUF

NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
OUTER = {"model.embed_tokens": "token_embd", "model.norm": "output_norm"}
# Every type that a llama file of the common 4-bit and 8-bit mixes holds; norms stay F32.
TYPES = {
    "token_embd": gguf.GGMLQuantizationType.Q8_0,
    "attn_q": gguf.GGMLQuantizationType.Q4_0,
    "attn_k": gguf.GGMLQuantizationType.Q4_1,
    "attn_v": gguf.GGMLQuantizationType.F16,
    "attn_output": gguf.GGMLQuantizationType.BF16,
    "ffn_gate": gguf.GGMLQuantizationType.Q4_0,
    "ffn_up": gguf.GGMLQuantizationType.Q4_1,
    "ffn_down": gguf.GGMLQuantizationType.Q8_0,
}


def permuted(rows, heads):
    """Rows of q or k, each head's two halves interleaved: the order that llama files have, since rope there pairs neighbours."""
    return rows.reshape(heads, 2, -1, rows.shape[-1]).swapaxes(1, 2).reshape(rows.shape)


def restored(rows, heads):
    return rows.reshape(heads, -1, 2, rows.shape[-1]).swapaxes(1, 2).reshape(rows.shape)


def heads_of(kind):
    return {"attn_q": CONFIG["num_attention_heads"], "attn_k": CONFIG["num_key_value_heads"]}.get(kind)


def write_gguf(file, seed):
    """Writes the file and returns the float32 values it holds, under the published names and in their row order."""
    c, values = CONFIG, {}
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name("llama_gguf-tiny")
    writer.add_context_length(c["max_position_embeddings"])
    writer.add_embedding_length(c["hidden_size"])
    writer.add_block_count(c["num_hidden_layers"])
    writer.add_feed_forward_length(c["intermediate_size"])
    writer.add_head_count(c["num_attention_heads"])
    writer.add_head_count_kv(c["num_key_value_heads"])
    writer.add_key_length(c["head_dim"])
    writer.add_value_length(c["head_dim"])
    writer.add_rope_dimension_count(c["head_dim"])
    writer.add_rope_freq_base(c["rope_theta"])
    writer.add_layer_norm_rms_eps(c["rms_norm_eps"])
    writer.add_vocab_size(c["vocab_size"])
    add_tokenizer(writer)
    for name, tensor in weights(seed, torch.float32).items():
        path = name.removesuffix(".weight")
        layer, kind = (None, OUTER[path]) if path in OUTER else (path.split(".")[2], NAMES[path.split(".", 3)[3]])
        rows, heads = tensor.numpy(), heads_of(kind)
        type_ = TYPES.get(kind, gguf.GGMLQuantizationType.F32)
        data = gguf.quants.quantize(permuted(rows, heads) if heads else rows, type_)
        writer.add_tensor(f"blk.{layer}.{kind}.weight" if layer else f"{kind}.weight", data, raw_dtype=type_)
        stored = gguf.quants.dequantize(data, type_).astype(np.float32).reshape(rows.shape)
        values[name] = torch.tensor(restored(stored, heads) if heads else stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return values


def add_tokenizer(writer):
    tokens = tiny_tokenizer.tokens()
    plain = len(tokens) - len(tiny_tokenizer.SPECIALS)
    types = [gguf.TokenType.NORMAL] * plain + [gguf.TokenType.CONTROL] * len(tiny_tokenizer.SPECIALS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([f"{left} {right}" for left, right in tiny_tokenizer.MERGES])
    writer.add_bos_token_id(tiny_tokenizer.BOS)
    writer.add_eos_token_id(tiny_tokenizer.EOS)
    writer.add_add_bos_token(True)
    writer.add_chat_template(tiny_tokenizer.CHAT_TEMPLATE)
