#!/usr/bin/env python3
"""Writes a trained run as a Hugging Face directory: bf16 safetensors, config.json, the tokenizer's files.

    python export.py --work W --run shipped --out W/hf               # writes
    python export.py --work W --run shipped --out W/hf --verify      # compares transformers' DeepseekV3ForCausalLM with the model here

Then `java -jar espalier-node.jar quantize` makes the 4-bit checkpoint: see README.md.
"""

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from corpus.sources import DOMAINS
from corpus.tokens import BOS, EOS
from model.config import Config
from model.precision import computing_in
from training.data import HeldOut
from training.evaluation import LENGTH
from training.state import load_model

CONTEXT = 1024
CLOSE = 1e-3  # logits of about 10 to 20 in float32, summed in another order


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--run", default="demo")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--verify", action="store_true")
    chosen = parser.parse_args()
    (verify if chosen.verify else write)(chosen.work, chosen.work / chosen.run, chosen.out)


def write(work: Path, run: Path, out: Path) -> None:
    from safetensors.torch import save_file

    model = load_model(run)
    out.mkdir(parents=True, exist_ok=True)
    named = {name: stored(name, value) for name, value in published(model.state_dict(), model.c).items()}
    save_file(named, out / "model.safetensors", metadata={"format": "pt"})
    tokenizer = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOS,
        "eos_token": EOS,
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
        "add_bos_token": True,
    }
    generation = {"bos_token_id": 0, "eos_token_id": 1, "do_sample": True, "temperature": 0.8, "top_k": 40}
    for name, content in (("config", config(model.c)), ("generation_config", generation), ("tokenizer_config", tokenizer)):
        (out / f"{name}.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    save_tokenizer(work / "tokenizer.json", out / "tokenizer.json")
    print(f"{out}: {len(named)} tensors, {sum(file.stat().st_size for file in out.iterdir()) / 1e6:.1f} MB")


def save_tokenizer(source: Path, target: Path) -> None:
    """With the token that every document began with in training before each prompt."""
    from tokenizers import Tokenizer, processors

    tokenizer = Tokenizer.from_file(str(source))
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, 0)])
    tokenizer.save(str(target))


def published(state: dict[str, Tensor], c: Config) -> dict[str, Tensor]:
    """A tensor for each expert's projection; a multi-token layer gets DeepSeek's copies of embedding and head."""
    out: dict[str, Tensor] = {}
    for name, value in state.items():
        if name.endswith("experts.gate_up_proj"):
            for e in range(c.experts):
                gate, up = value[e].chunk(2, 0)
                out[name.replace("gate_up_proj", f"{e}.gate_proj.weight")] = gate
                out[name.replace("gate_up_proj", f"{e}.up_proj.weight")] = up
        elif name.endswith("experts.down_proj"):
            for e in range(c.experts):
                out[name.replace("down_proj", f"{e}.down_proj.weight")] = value[e]
        else:
            out[name] = value
    for i in range(c.layers, c.layers + c.mtp):
        out[f"model.layers.{i}.embed_tokens.weight"] = state["model.embed_tokens.weight"]
        out[f"model.layers.{i}.shared_head.head.weight"] = state["lm_head.weight"]
    return out


def stored(name: str, value: Tensor) -> Tensor:
    """bf16, but the routers' biases: their steps are finer than bf16 near 1."""
    return (value.float() if name.endswith("e_score_correction_bias") else value.to(torch.bfloat16)).contiguous().clone()


def config(c: Config) -> dict:
    return {
        "architectures": ["DeepseekV3ForCausalLM"],
        "model_type": "deepseek_v3",
        "vocab_size": c.vocab,
        "hidden_size": c.d,
        "intermediate_size": c.dense,
        "moe_intermediate_size": c.width,
        "num_hidden_layers": c.layers,
        "num_attention_heads": c.heads,
        "num_key_value_heads": c.heads,
        "n_shared_experts": c.shared,
        "n_routed_experts": c.experts,
        "num_experts_per_tok": c.top_k,
        "routed_scaling_factor": c.scale,
        "q_lora_rank": c.q_lora,
        "kv_lora_rank": c.kv_lora,
        "qk_nope_head_dim": c.nope,
        "qk_rope_head_dim": c.rope,
        "v_head_dim": c.v,
        "n_group": 1,
        "topk_group": 1,
        "first_k_dense_replace": 1,
        "moe_layer_freq": 1,
        "topk_method": "noaux_tc",
        "scoring_func": "sigmoid",
        "norm_topk_prob": True,
        "hidden_act": "silu",
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": c.eps,
        "rope_theta": c.theta,
        "rope_scaling": None,
        "rope_interleave": True,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "tie_word_embeddings": False,
        "num_nextn_predict_layers": c.mtp,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "initializer_range": 0.02,
        "torch_dtype": "bfloat16",
        "use_cache": True,
    }


def verify(work: Path, run: Path, out: Path) -> None:
    """Logits in float32 on a row of each domain; ends with 1 if they differ or a tensor is missing."""
    from transformers import AutoModelForCausalLM

    theirs, loading = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32, output_loading_info=True)
    ours = load_model(run)
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            parameter.copy_(stored(name, parameter))
    held, worst = HeldOut(work), 0.0
    with torch.no_grad(), computing_in(torch.float32):
        for domain in range(len(DOMAINS)):
            ids, _ = held.rows(domain, LENGTH, 1)
            worst = max(worst, (ours.logits(ids) - theirs(ids).logits).abs().max().item())
    print(f"{type(theirs).__name__}: missing tensors {sorted(loading['missing_keys'])}, largest difference of logits {worst:.1e}")
    if loading["missing_keys"] or not worst < CLOSE:
        raise SystemExit(f"export: {out} is not the model of {run}: a difference below {CLOSE:g} and no missing tensor was expected")


if __name__ == "__main__":
    main()
