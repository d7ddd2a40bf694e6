#!/usr/bin/env python3
"""Makes ../resources/models/*_gguf-tiny of all architectures but llama: random weights, converted by llama.cpp's own converter.

    pip download --no-deps --no-binary :all: llama-cpp-python==0.3.36   # and unpack it
    VENV/bin/python make_tiny_ggufs.py llama_cpp_python-0.3.36/vendor/llama.cpp [NAME ...]

transformers computes what the tests compare with, on the values that the file holds.
"""

import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

LLAMA_CPP = Path(sys.argv[1])
sys.path[:0] = [str(LLAMA_CPP), str(LLAMA_CPP / "gguf-py")]

import gguf
import numpy as np
import torch
import transformers
from conversion import get_model_class
from safetensors.torch import load_file, save_file

import tiny_golden
import tiny_llama
import tiny_tokenizer
from tiny_weights import printable

MODELS = Path(__file__).resolve().parents[1] / "resources" / "models"
COMMON = {
    "vocab_size": tiny_tokenizer.VOCABULARY,
    "bos_token_id": tiny_tokenizer.BOS,
    "eos_token_id": tiny_tokenizer.EOS,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}
EXPERTS = {"num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
LATENT = {
    "q_lora_rank": 32,
    "kv_lora_rank": 32,
    "qk_rope_head_dim": 16,
    "qk_nope_head_dim": 32,
    "v_head_dim": 24,
    "num_key_value_heads": 4,
    "head_dim": 16,
    "intermediate_size": 64,
    "moe_intermediate_size": 32,
    "num_experts_per_tok": 2,
    "first_k_dense_replace": 1,
    "n_shared_experts": 1,
    "rope_parameters": {
        "rope_type": "yarn",
        "rope_theta": 10000.0,
        "factor": 40.0,
        "original_max_position_embeddings": 64,
        "beta_fast": 32.0,
        "beta_slow": 1.0,
        "mscale": 0.707,
        "mscale_all_dim": 0.707,
    },
}


# Few rows, so that a wrong choice shows in every prompt.
INDEXED = {
    "index_n_heads": 8,
    "index_head_dim": 32,
    "index_topk": 8,
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
}

LINEAR = {
    "num_hidden_layers": 3,
    "layer_types": ["linear_attention", "full_attention", "linear_attention"],
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 6,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 8,
    "linear_conv_kernel_dim": 4,
    "shared_expert_intermediate_size": 32,
}


def theta(base, **more):
    return {"rope_parameters": {"rope_type": "default", "rope_theta": base, **more}}


# GGUF's name: transformers' class, and what it does not share with COMMON.
CONFIGS = {
    "mixtral": (
        "Mixtral",
        {"num_local_experts": 6, "num_experts_per_tok": 2, "intermediate_size": 32, "sliding_window": None, **theta(1e6)},
    ),
    "qwen2": ("Qwen2", {"intermediate_size": 96, "use_sliding_window": False, "tie_word_embeddings": True, **theta(1e6)}),
    "qwen2moe": (
        "Qwen2Moe",
        {**EXPERTS, "intermediate_size": 96, "shared_expert_intermediate_size": 64, "norm_topk_prob": False, **theta(1e6)},
    ),
    "qwen3": ("Qwen3", {"intermediate_size": 96, "use_sliding_window": False, **theta(1e6)}),
    "qwen3moe": ("Qwen3Moe", {**EXPERTS, "intermediate_size": 96, "norm_topk_prob": True, **theta(1e6)}),
    "olmoe": (
        "Olmoe",
        {"num_experts": 6, "num_experts_per_tok": 2, "intermediate_size": 32, "num_key_value_heads": 4, "head_dim": 8, "rms_norm_eps": 1e-5}
        | theta(1e4),
    ),
    "glm4moe": (
        "Glm4Moe",
        {
            "intermediate_size": 64,
            "moe_intermediate_size": 32,
            "n_routed_experts": 6,
            "num_experts_per_tok": 2,
            "n_shared_experts": 1,
            "first_k_dense_replace": 1,
            "n_group": 1,
            "topk_group": 1,
            "norm_topk_prob": True,
            "routed_scaling_factor": 1.5,
            "attention_bias": True,
            "use_qk_norm": True,
            "num_nextn_predict_layers": 0,
            **theta(1e6, partial_rotary_factor=0.5),
        },
    ),
    "deepseek2": (
        "DeepseekV3",
        {**LATENT, "n_routed_experts": 8, "n_group": 4, "topk_group": 2, "norm_topk_prob": True, "routed_scaling_factor": 2.5}
        | {"scoring_func": "sigmoid", "topk_method": "noaux_tc"},
    ),
    "deepseek32": ("DeepseekV32", {**LATENT, **INDEXED, "n_routed_experts": 8, "n_group": 4, "topk_group": 2}),
    "glm-dsa": (
        "GlmMoeDsa",
        {**LATENT, **INDEXED, "num_hidden_layers": 3, "n_routed_experts": 6, "n_group": 1, "topk_group": 1, **theta(1e6)}
        | {"indexer_types": ["full", "shared", "full"], "rms_norm_eps": 1e-5},
    ),
    "deepseek2_kv_b": (
        "DeepseekV2",
        {**LATENT, "q_lora_rank": None, "n_routed_experts": 6, "n_group": 1, "topk_group": 1, "topk_method": "greedy"}
        | {"norm_topk_prob": False, "routed_scaling_factor": 1.0, "scoring_func": "softmax"},
    ),
    "qwen3next": (
        "Qwen3Next",
        {**EXPERTS, **LINEAR, "intermediate_size": 96, "norm_topk_prob": True, **theta(1e6, partial_rotary_factor=0.25)},
    ),
    "qwen35": ("Qwen3_5", {**LINEAR, "intermediate_size": 96, **theta(1e6, partial_rotary_factor=0.25)}),
    "qwen35moe": ("Qwen3_5Moe", {**EXPERTS, **LINEAR, **theta(1e6, partial_rotary_factor=0.25)}),
    "gpt-oss": (
        "GptOss",
        {
            "hidden_size": 64,
            "head_dim": 32,
            "intermediate_size": 32,
            "num_local_experts": 6,
            "num_experts_per_tok": 2,
            "sliding_window": 16,
            "layer_types": ["sliding_attention", "full_attention"],
            "rope_parameters": {
                "rope_type": "yarn",
                "rope_theta": 150000.0,
                "factor": 32.0,
                "beta_fast": 32.0,
                "beta_slow": 1.0,
                "truncate": False,
                "original_max_position_embeddings": 64,
            },
        },
    ),
}


class IndexRecorder(tiny_golden.NoRecorder):
    """The narrowest choice of rows by an indexer in the latest forward pass: relu makes exact ties, where topk may choose either."""

    def __init__(self, loaded):
        self.margins = {}
        loaded.register_forward_pre_hook(lambda *_: self.margins.clear())
        for layer, block in enumerate(loaded.model.layers):
            if block.self_attn.indexer is not None:
                block.self_attn.indexer.forward = self.recorded(layer, block.self_attn.indexer.forward)

    def recorded(self, layer, forward):
        def run(*args, **more):
            topk = torch.Tensor.topk

            def recording(scores, k, **how):
                best = scores.sort(dim=-1, descending=True)[0]
                if k < scores.shape[-1]:
                    rival = best[..., k]
                    gaps = (best[..., k - 1] - rival)[rival > -1e30]  # others see no more than k rows
                    self.margins[layer] = gaps.min().item() if gaps.numel() else float("inf")
                return topk(scores, k, **how)

            torch.Tensor.topk = recording
            try:
                return forward(*args, **more)
            finally:
                torch.Tensor.topk = topk

        return run


def model(name, seed):
    """transformers' model with random values that bf16 holds; the scale keeps activations near one."""
    family, own = CONFIGS[name]
    config = getattr(transformers, family + ("TextConfig" if family.startswith("Qwen3_5") else "Config"))(**{**COMMON, **own})
    loaded = getattr(transformers, family + "ForCausalLM")._from_config(config, attn_implementation="eager").eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, tensor in [*loaded.named_parameters(), *loaded.named_buffers()]:
            normal = torch.randn(tensor.shape, generator=generator)
            if "rotary" in key or "inv_freq" in key:
                continue
            if "e_score_correction_bias" in key or "sinks" in key or "bias" in key:
                value = 0.2 * normal
            elif "norm" in key:
                centred = family.startswith(("Qwen3Next", "Qwen3_5")) and "linear_attn" not in key
                value = (0 if centred else 1) + 0.1 * normal
            elif key in ("model.embed_tokens.weight", "lm_head.weight"):
                tied = config.tie_word_embeddings
                value = tiny_llama.EMBEDDING * printable(normal) if tied else printable(normal) if "lm" in key else normal
            else:
                inner = tensor.shape[-2] if name == "gpt-oss" and tensor.dim() == 3 else tensor.shape[-1]
                value = 1.5 * normal / inner**0.5
            tensor.copy_(value.to(torch.bfloat16))
        if name == "gpt-oss":
            for layer in loaded.model.layers:
                for part in ("gate_up_proj", "down_proj"):
                    rows = getattr(layer.mlp.experts, part)
                    rows.copy_(fp4_values(*fp4(rows.transpose(1, 2))).transpose(1, 2))
    return loaded


FP4 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])


def fp4(rows):
    """Nearest E2M1 codes and E8M0 exponents of groups of 32 columns."""
    groups = rows.reshape(*rows.shape[:-1], -1, 32)
    exponents = groups.abs().amax(-1).log2().floor().to(torch.int32) - 2
    codes = ((groups / torch.exp2(exponents.float())[..., None]).unsqueeze(-1) - FP4).abs().argmin(-1)
    return codes, exponents


def fp4_values(codes, exponents):
    return (FP4[codes] * torch.exp2(exponents.float())[..., None]).flatten(-2)


def write_hf(loaded, folder, name):
    loaded.to(torch.bfloat16).save_pretrained(folder)
    loaded.to(torch.float32)
    if name == "gpt-oss":
        file = folder / "model.safetensors"
        tensors = load_file(file)
        for key in [k for k in tensors if k.endswith(("gate_up_proj", "down_proj"))]:
            codes, exponents = fp4(tensors.pop(key).float().transpose(1, 2))
            tensors[key + "_blocks"] = (codes[..., ::2] | codes[..., 1::2] << 4).to(torch.uint8)
            tensors[key + "_scales"] = (exponents + 127).to(torch.uint8)
        save_file(tensors, file, metadata={"format": "pt"})
        config = (folder / "config.json").read_text().rstrip().removesuffix("}").rstrip()
        (folder / "config.json").write_text(config + ',\n  "quantization_config": {"quant_method": "mxfp4"}\n}\n')


def convert(folder, file, name):
    converter = get_model_class(CONFIGS[name][0] + "ForCausalLM", mmproj=False)
    converter.no_mtp = True
    converter.set_vocab = lambda self: tiny_llama.add_tokenizer(self.gguf_writer)
    converter(folder, gguf.LlamaFileType.MOSTLY_BF16, file, eager=True, model_name=name).write()


def rewritten(file, name, change, rename):
    """The file with other metadata and tensors: forms that older converters wrote."""
    reader = gguf.GGUFReader(file)
    keys = {k: f.contents() for k, f in reader.fields.items() if not k.startswith("GGUF.")}
    writer = gguf.GGUFWriter(file.with_suffix(".new"), keys["general.architecture"])
    for key, value in change(keys).items():
        if key != "general.architecture":
            field = reader.fields.get(key)
            kind = field.types[0] if field else gguf.GGUFValueType.get_type(value)
            writer.add_key_value(key, value, kind, field.types[-1] if field and len(field.types) > 1 else None)
    for tensor in reader.tensors:
        for new, data in rename(tensor.name, np.array(tensor.data)):
            writer.add_tensor(new, data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    file.with_suffix(".new").rename(file)


def expert_by_expert(name, data):
    """Mixtral before stacks: blk.0.ffn_gate.5.weight."""
    if "_exps." not in name:
        return [(name, data)]
    return [(name.replace("_exps.", f".{i}."), expert) for i, expert in enumerate(data)]


def joint_heads(folder):
    """DeepSeek before kv_b was split: its tensor, and the widths of whole heads."""
    tensors = load_file(folder / "model.safetensors")

    def rename(name, data):
        if "attn_v_b" in name:
            return []
        if "attn_k_b" not in name:
            return [(name, data)]
        layer = name.split(".")[1]
        kv_b = tensors[f"model.layers.{layer}.self_attn.kv_b_proj.weight"]
        return [(name.replace("attn_k_b", "attn_kv_b"), kv_b.view(torch.uint8).numpy())]

    def change(keys):
        keys = {k: v for k, v in keys.items() if "_mla" not in k and "expert_group" not in k}
        keys["deepseek2.attention.head_count_kv"] = COMMON["num_attention_heads"]
        keys["deepseek2.attention.key_length"] = LATENT["qk_nope_head_dim"] + LATENT["qk_rope_head_dim"]
        keys["deepseek2.attention.value_length"] = LATENT["v_head_dim"]
        return keys

    return change, rename


def make(name):
    home = MODELS / f"{name}_gguf-tiny"
    shutil.rmtree(home, ignore_errors=True)
    file = home / "gguf" / "model.gguf"
    file.parent.mkdir(parents=True)
    for seed in range(1, 100):
        try:
            loaded = model(name, seed)
            record = tiny_golden.golden(
                loaded,
                seed,
                IndexRecorder(loaded) if "index_topk" in CONFIGS[name][1] else tiny_golden.NoRecorder(),
                model=home.name,
                dtype="float32",
                software={p: version(p) for p in ("transformers", "torch")} | {"llama-cpp-python": "0.3.36"},
            )
            break
        except tiny_golden.Unfit as reason:
            print(f"  seed {seed}: {reason}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_hf(loaded, folder, name)
        convert(folder, file, name)
        if name == "mixtral":
            rewritten(file, name, lambda keys: keys, expert_by_expert)
        if name == "deepseek2_kv_b":
            rewritten(file, name, *joint_heads(folder))
    tiny_golden.write(home / "golden.json", record)
    print(home.name, "seed", seed, file.stat().st_size, repr(record["chat"]["greedy_text"]))


if __name__ == "__main__":
    for chosen in sys.argv[2:] or CONFIGS:
        make(chosen)
