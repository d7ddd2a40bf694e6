#!/usr/bin/env python3
"""Makes ../resources/models/{mistral,qwen2,qwen2_moe,qwen3_moe,kimi_k2,gemma3_text}-tiny: architectures as transformers 5 saves them, with its own config keys.

    VENV/bin/python make_tiny_families.py [NAME ...]      # requirements.txt beside it

The prompts are longer than the windows, so that a cache which forgets too much or too little shows itself.
"""

import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import torch
import transformers

import tiny_golden
import tiny_tokenizer
from tiny_weights import fill

MODELS = Path(__file__).resolve().parents[1] / "resources" / "models"
COMMON = {
    "vocab_size": tiny_tokenizer.VOCABULARY,
    "bos_token_id": tiny_tokenizer.BOS,
    "eos_token_id": tiny_tokenizer.EOS,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}
# model_type: transformers' class, and what it does not share with COMMON
FAMILIES = {
    "mistral": ("Mistral", {"sliding_window": 16, "head_dim": 16}),
    "qwen2": (
        "Qwen2",
        {
            "use_sliding_window": True,
            "sliding_window": 16,
            "max_window_layers": 1,
            "tie_word_embeddings": True,
            "rope_parameters": {
                "rope_type": "yarn",
                "rope_theta": 1e6,
                "factor": 4.0,
                "original_max_position_embeddings": 32,
            },
        },
    ),
    "qwen2_moe": (
        "Qwen2Moe",
        {
            "num_experts": 6,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 32,
            "shared_expert_intermediate_size": 48,
        },
    ),
    "qwen3_moe": (
        "Qwen3Moe",
        {
            "head_dim": 16,
            "num_experts": 6,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 32,
            "decoder_sparse_step": 2,
            "norm_topk_prob": True,
        },
    ),
    "gemma3_text": (
        "Gemma3",
        {
            "hidden_size": 32,
            "intermediate_size": 48,
            "head_dim": 8,
            "query_pre_attn_scalar": 12,
            "sliding_window": 16,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "rope_theta": 1e6, "factor": 8.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
            },
        },
    ),
    "kimi_k2": (
        "DeepseekV3",
        {
            "num_key_value_heads": 4,
            "q_lora_rank": 32,
            "kv_lora_rank": 32,
            "qk_nope_head_dim": 16,
            "qk_rope_head_dim": 16,
            "v_head_dim": 16,
            "moe_intermediate_size": 32,
            "n_routed_experts": 12,
            "n_shared_experts": 1,
            "num_experts_per_tok": 3,
            "n_group": 1,
            "topk_group": 1,
            "first_k_dense_replace": 1,
            "norm_topk_prob": True,
            "routed_scaling_factor": 2.827,
        },
    ),
}


def model(family, seed):
    name, own = FAMILIES[family]
    kind = "TextConfig" if hasattr(transformers, name + "TextConfig") else "Config"
    config = getattr(transformers, name + kind)(**{**COMMON, **own})
    loaded = getattr(transformers, name + "ForCausalLM")._from_config(config, attn_implementation="eager").eval()
    fill(loaded, seed)
    return loaded


def save(loaded, folder, family):
    folder.mkdir(parents=True)
    loaded.to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = family  # transformers has no Kimi K2: it is published with code of its own, DeepSeek-V3's
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    tiny_tokenizer.write(folder)


def make(family):
    home = MODELS / f"{family}-tiny"
    shutil.rmtree(home, ignore_errors=True)
    software = {name: version(name) for name in ("transformers", "torch")}
    for seed in range(1, 100):
        try:
            loaded = model(family, seed)
            recorder = None if family == "kimi_k2" else tiny_golden.NoRecorder()
            record = tiny_golden.golden(loaded, seed, recorder, model=home.name, dtype="float32", software=software)
            break
        except tiny_golden.Unfit as reason:
            print(f"  seed {seed}: {reason}")
    save(loaded, home / "hf", family)
    tiny_golden.write(home / "golden.json", record)
    size = sum(f.stat().st_size for f in home.rglob("*") if f.is_file())
    print(home.name, "seed", seed, size, repr(record["chat"]["greedy_text"]))


if __name__ == "__main__":
    transformers.utils.logging.disable_progress_bar()
    for chosen in sys.argv[1:] or FAMILIES:
        make(chosen)
