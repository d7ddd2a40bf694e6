"""deepseek_v3-tiny: random bf16 weights under the tensor names of the published checkpoint, and its MLX 4-bit form."""

import json
import shutil

import mlx.core as mx
import numpy as np
import torch
from mlx_lm.convert import convert
from safetensors.torch import save_file

import tiny_tokenizer
from tiny_weights import Weights, output_rows

CONFIG = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "torch_dtype": "bfloat16",
    "vocab_size": tiny_tokenizer.VOCABULARY,
    "bos_token_id": tiny_tokenizer.BOS,
    "eos_token_id": tiny_tokenizer.EOS,
    "hidden_act": "silu",
    "initializer_range": 0.02,
    "attention_bias": False,
    "attention_dropout": 0.0,
    "tie_word_embeddings": False,
    "use_cache": True,
    "hidden_size": 64,
    "intermediate_size": 128,
    "moe_intermediate_size": 64,
    "num_hidden_layers": 4,
    "first_k_dense_replace": 1,
    "moe_layer_freq": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "q_lora_rank": 64,
    "kv_lora_rank": 64,
    "qk_nope_head_dim": 64,
    "qk_rope_head_dim": 32,
    "v_head_dim": 64,
    "n_routed_experts": 16,
    "n_shared_experts": 1,
    "num_experts_per_tok": 4,
    "n_group": 4,
    "topk_group": 2,
    "topk_method": "noaux_tc",
    "scoring_func": "sigmoid",
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
    "num_nextn_predict_layers": 0,
    "max_position_embeddings": 10240,
    "rms_norm_eps": 1e-06,
    "rope_theta": 10000,
    "rope_scaling": {
        "type": "yarn",
        "factor": 40,
        "original_max_position_embeddings": 256,
        "beta_fast": 32,
        "beta_slow": 1,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
    },
}
# One module at 8 bits, so that a reader has to look at the overrides in config.json.
EIGHT_BITS = "model.layers.2.self_attn.o_proj"


def weights(seed):
    c, w = CONFIG, Weights(seed, torch.bfloat16)
    hidden, heads = c["hidden_size"], c["num_attention_heads"]
    nope, rope, value = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"]

    def mlp(prefix, width, out=1.0):
        w.linear(f"{prefix}.gate_proj", width, hidden)
        w.linear(f"{prefix}.up_proj", width, hidden)
        w.linear(f"{prefix}.down_proj", hidden, width, out)

    w.embedding("model.embed_tokens", c["vocab_size"], hidden)
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}"
        w.norm(f"{p}.input_layernorm", hidden)
        w.linear(f"{p}.self_attn.q_a_proj", c["q_lora_rank"], hidden)
        w.norm(f"{p}.self_attn.q_a_layernorm", c["q_lora_rank"])
        w.linear(f"{p}.self_attn.q_b_proj", heads * (nope + rope), c["q_lora_rank"])
        w.linear(f"{p}.self_attn.kv_a_proj_with_mqa", c["kv_lora_rank"] + rope, hidden)
        w.norm(f"{p}.self_attn.kv_a_layernorm", c["kv_lora_rank"])
        w.linear(f"{p}.self_attn.kv_b_proj", heads * (nope + value), c["kv_lora_rank"])
        w.linear(f"{p}.self_attn.o_proj", hidden, heads * value)
        w.norm(f"{p}.post_attention_layernorm", hidden)
        if layer < c["first_k_dense_replace"]:
            mlp(f"{p}.mlp", c["intermediate_size"])
            continue
        w.linear(f"{p}.mlp.gate", c["n_routed_experts"], hidden)
        # Float32 in the published checkpoint too; wide enough to change the choice, small enough to leave every score positive.
        w.tensors[f"{p}.mlp.gate.e_score_correction_bias"] = 0.03 * w.normal(c["n_routed_experts"])
        for expert in range(c["n_routed_experts"]):
            mlp(f"{p}.mlp.experts.{expert}", c["moe_intermediate_size"])
        mlp(f"{p}.mlp.shared_experts", c["n_shared_experts"] * c["moe_intermediate_size"])
    w.norm("model.norm", hidden)
    w.tensors["lm_head.weight"] = output_rows(w, c["vocab_size"], hidden).to(w.dtype)
    return w.tensors


def write_hf(folder, seed):
    """Two files and an index; the cut goes through layer 2, since published shards cut through layers too."""
    tensors = weights(seed)
    names = list(tensors)
    cut = names.index("model.layers.2.mlp.experts.5.gate_proj.weight")
    index = {}
    for number, part in enumerate((names[:cut], names[cut:]), start=1):
        file = f"model-{number:05d}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, folder / file, metadata={"format": "pt"})
        index.update({name: file for name in part})
    total = sum(t.numel() * t.element_size() for t in tensors.values())
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": total}, "weight_map": index}, separators=(",", ":")) + "\n"
    )
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    tiny_tokenizer.write(folder)


def write_mlx4(hf, folder):
    def bits(path, module):
        if not hasattr(module, "to_quantized") or path.endswith("mlp.gate"):
            return False
        return {"group_size": 64, "bits": 8} if path == EIGHT_BITS else True

    convert(str(hf), str(folder), quantize=True, q_group_size=64, q_bits=4, quant_predicate=bits)
    for file in folder.iterdir():  # what the converter adds beside weights and config is not ours to test
        if not (file.name == "config.json" or file.name.startswith("model")):
            file.unlink()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(hf / name, folder / name)


def dequantized(folder):
    """The float32 values of an MLX folder under the names of the published checkpoint, for transformers."""
    config = json.loads((folder / "config.json").read_text())
    stored = {}
    for file in folder.glob("*.safetensors"):
        stored.update(mx.load(str(file)))
    values = {}
    for name, tensor in stored.items():
        path, kind = name.rsplit(".", 1)
        if kind == "weight" and f"{path}.scales" in stored:
            q = {**config["quantization"], **config["quantization"].get(path, {})}
            scales, biases = (stored[f"{path}.{k}"].astype(mx.float32) for k in ("scales", "biases"))
            values[name] = mx.dequantize(tensor, scales, biases, group_size=q["group_size"], bits=q["bits"])
        elif kind not in ("scales", "biases"):
            values[name] = tensor.astype(mx.float32)
    values = {name: torch.from_numpy(np.array(v)) for name, v in values.items()}
    return {name: t for stored_name, v in values.items() for name, t in published(stored_name, v, values)}


def published(name, value, values):
    if ".switch_mlp." in name:
        for expert, one in enumerate(value):
            yield name.replace(".switch_mlp.", f".experts.{expert}."), one.contiguous()
    elif name.endswith(".embed_q.weight"):  # [H, kv rank, nope], the keys' half of kv_b_proj, transposed
        up = values[name.replace("embed_q", "unembed_out")]  # [H, value, kv rank]
        both = torch.cat([value.transpose(1, 2), up], dim=1)
        yield name.replace("embed_q", "kv_b_proj"), both.reshape(-1, both.shape[-1]).contiguous()
    elif not name.endswith(".unembed_out.weight"):
        yield name, value
