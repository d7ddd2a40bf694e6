#!/usr/bin/env python3
"""Makes ../resources/models: tiny models with random weights, and what transformers computes on them.

    python3 -m venv VENV && VENV/bin/pip install -r requirements.txt && VENV/bin/python make_tiny_models.py

The folder is written anew. README.md there says what the tests take from it.
"""

import shutil
from importlib.metadata import version
from pathlib import Path

import mlx.core as mx
import torch
import transformers
from mlx.utils import tree_map
from mlx_lm import load

import tiny_deepseek
import tiny_golden
import tiny_llama

MODELS = Path(__file__).resolve().parents[1] / "resources" / "models"


def folder(path):
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def software(*names):
    return {name: version(name) for name in names}


def first_seed(make, start):
    """The first seed from start on that makes a fit model, and its record."""
    for seed in range(start, start + 100):
        try:
            return seed, make(seed)
        except tiny_golden.Unfit as reason:
            print(f"  seed {seed}: {reason}")
    raise SystemExit("no fit seed in 100")


def deepseek():
    home = folder(MODELS / "deepseek_v3-tiny")

    def make(seed):
        hf = folder(home / "hf")
        tiny_deepseek.write_hf(hf, seed)
        plain = tiny_golden.golden(
            tiny_golden.model(hf), seed, model=home.name, dtype="float32", software=software("transformers", "torch")
        )
        shutil.rmtree(home / "mlx4", ignore_errors=True)
        tiny_deepseek.write_mlx4(hf, home / "mlx4")
        quantized = tiny_golden.golden(
            tiny_golden.model_of(tiny_deepseek.CONFIG, tiny_deepseek.dequantized(home / "mlx4")),
            seed,
            model=home.name,
            dtype="float32, dequantized",
            software=software("transformers", "torch", "mlx", "mlx-lm"),
        )
        return plain, quantized

    seed, (plain, quantized) = first_seed(make, 1)
    quantized["mlx_lm_max_abs"] = [mlx_difference(home / "mlx4", p) for p in quantized["prompts"]]
    tiny_golden.write(home / "golden.json", plain)
    tiny_golden.write(home / "golden_mlx4.json", quantized)
    print(home.name, "seed", seed, "mlx-lm differs by", quantized["mlx_lm_max_abs"], repr(plain["chat"]["greedy_text"]))


def mlx_difference(path, prompt):
    """Largest difference between mlx-lm's logits, every stored float cast to float32, and the record."""
    model, _ = load(str(path))
    model.update(tree_map(lambda a: a.astype(mx.float32) if mx.issubdtype(a.dtype, mx.floating) else a, model.parameters()))
    logits = model(mx.array([prompt["prompt_ids"]]))[0, -1]
    return round(float(mx.abs(logits - mx.array(prompt["last_logits"])).max()), 8)


def llama():
    home = folder(MODELS / "llama-tiny")

    def make(seed):
        hf = folder(home / "hf")
        tiny_llama.write_hf(hf, seed)
        return tiny_golden.golden(
            tiny_golden.model(hf), seed, model=home.name, dtype="float32", software=software("transformers", "torch")
        )

    seed, record = first_seed(make, 1)
    tiny_golden.write(home / "golden.json", record)
    print(home.name, "seed", seed, repr(record["chat"]["greedy_text"]))


def llama_gguf():
    home = folder(MODELS / "llama_gguf-tiny")
    file = folder(home / "gguf") / "model.gguf"

    def make(seed):
        values = tiny_llama.write_gguf(file, seed)
        unscaled = {**tiny_llama.CONFIG, "rope_scaling": None}  # the file says nothing of rope scaling
        return tiny_golden.golden(
            tiny_golden.model_of(unscaled, values),
            seed,
            model=home.name,
            dtype="float32, dequantized",
            software=software("transformers", "torch", "gguf"),
        )

    seed, record = first_seed(make, 1)
    record["transformers_reader_max_abs"] = [reader_difference(file, p) for p in record["prompts"]]
    tiny_golden.write(home / "golden.json", record)
    print(home.name, "seed", seed, "transformers' reader differs by", record["transformers_reader_max_abs"])


@torch.no_grad()
def reader_difference(file, prompt):
    """The same by transformers' own reader of the format: a check of our names, row order and metadata."""
    from transformers import LlamaForCausalLM

    loaded = LlamaForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).eval()
    logits = loaded(torch.tensor([prompt["prompt_ids"]])).logits[0, -1]
    return round((logits - torch.tensor(prompt["last_logits"])).abs().max().item(), 8)


if __name__ == "__main__":
    transformers.utils.logging.disable_progress_bar()
    deepseek()
    llama()
    llama_gguf()
    for file in MODELS.rglob("*.safetensors"):
        file.chmod(0o644)
    size = sum(f.stat().st_size for f in MODELS.rglob("*") if f.is_file())
    print(f"{size / 1e6:.2f} MB in {MODELS}")
