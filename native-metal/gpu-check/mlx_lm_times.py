#!/usr/bin/env python3
"""mlx_lm_times.py MODEL PROMPT TOKENS: how fast mlx-lm's own model code is on MLX's default device, as a line of JSON.
mlx_lm_times.py --read MEGABYTES: how fast that device reads its memory, by MLX.

Needs no package but mlx and mlx_lm, unpacked beside this file: mlx_lm/__init__.py, which asks for transformers, is passed by.
"""
import importlib
import json
import pathlib
import sys
import time
import types

import mlx.core as mx
import mlx.nn as nn

HERE = pathlib.Path(__file__).resolve().parent
PASSES = 2  # the first makes kernels, and does not count


def models(name):
    if "mlx_lm" not in sys.modules:
        package = sys.modules["mlx_lm"] = types.ModuleType("mlx_lm")
        package.__path__ = [str(HERE / "mlx_lm")]
    return importlib.import_module("mlx_lm.models." + name)


def load(directory):
    """As mlx_lm.utils.load_model does it."""
    config = json.loads((directory / "config.json").read_text())
    code = models(config["model_type"])
    model = code.Model(code.ModelArgs.from_dict(config))
    weights = model.sanitize(mx.load(str(directory / "model.safetensors")))
    quantization = config["quantization"]
    nn.quantize(model, group_size=quantization["group_size"], bits=quantization["bits"], mode=quantization["mode"],
                class_predicate=lambda path, module: hasattr(module, "to_quantized") and f"{path}.scales" in weights)
    model.eval()
    model.load_weights(list(weights.items()))
    mx.eval(model.parameters())
    return model


def seconds(model, prompt, tokens):
    """Of the prompt, all of whose rows are computed in one step, and of as many tokens, each begun before the one before is read, as mlx-lm does it."""
    cache = models("cache").make_prompt_cache(model)
    start = time.perf_counter()
    hidden = model.model(mx.arange(prompt)[None], cache)
    token = mx.argmax(model.lm_head(hidden[:, -1]), axis=-1)
    mx.eval(token, hidden, [c.state for c in cache])
    middle = time.perf_counter()
    for _ in range(tokens):
        following = mx.argmax(model(token[None], cache)[:, -1], axis=-1)
        mx.async_eval(following)
        token.item()
        token = following
    token.item()
    return middle - start, time.perf_counter() - middle


def read_rate(megabytes):
    """Bytes a second: the best of a sum and of a copy, which reads and writes, five times each."""
    values = mx.arange(megabytes * 250_000, dtype=mx.float32)
    mx.eval(values)
    best = 0
    for bytes_moved, pass_ in ((values.nbytes, lambda: mx.sum(values)), (2 * values.nbytes, lambda: values + 1)):
        for _ in range(6):
            start = time.perf_counter()
            mx.eval(pass_())
            best = max(best, bytes_moved / (time.perf_counter() - start))
    return best


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--read":
        print(json.dumps({"device": str(mx.default_device()), "read": read_rate(int(sys.argv[2]))}))
        return
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    prompt, tokens = int(sys.argv[2]), int(sys.argv[3])
    model = load(pathlib.Path(sys.argv[1]))
    for _ in range(PASSES):
        prefill, decode = seconds(model, prompt, tokens)
    print(json.dumps({"prefill": prompt / prefill, "decode": tokens / decode}))


main()
