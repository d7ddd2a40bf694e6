#!/usr/bin/env python3
"""Makes ../resources/formats: small matrices in each of MLX's modes and in fp8 with block factors, and their values by mlx and torch.

    VENV/bin/python make_format_vectors.py    # with requirements.txt
"""

import json
import shutil
from pathlib import Path

import mlx.core as mx
import torch
from safetensors.torch import save_file

FORMATS = Path(__file__).resolve().parents[1] / "resources" / "formats"
ROWS, COLUMNS = 3, 128


def write(name, config, save, values):
    for folder, content in ((name, config), (name + "_values", {})):
        home = FORMATS / folder
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        (home / "config.json").write_text(json.dumps(content, indent=2) + "\n")
    save(FORMATS / name / "model.safetensors")
    save_file(values, FORMATS / f"{name}_values" / "model.safetensors", metadata={"format": "pt"})


def mlx_modes():
    mx.random.seed(70)
    settings = [("affine", bits, group) for bits in (2, 3, 4, 5, 6, 8) for group in (32, 64, 128)]
    settings += [("mxfp4", 4, 32), ("mxfp8", 8, 32), ("nvfp4", 4, 16)]
    overrides, stored, values = {}, {}, {}
    for mode, bits, group in settings:
        module = f"{mode}_{bits}_{group}"
        overrides[module] = {"group_size": group, "bits": bits, "mode": mode}
        if mode == "affine" and bits != 4:
            del overrides[module]["mode"]  # an override without one is affine
        matrix = mx.random.normal((ROWS, COLUMNS)).astype(mx.bfloat16)
        parts = mx.quantize(matrix, group_size=group, bits=bits, mode=mode)
        stored |= {f"{module}.{part}": array for part, array in zip(("weight", "scales", "biases"), parts)}
        wide = [parts[0], *(p.astype(mx.float32) if p.dtype == mx.bfloat16 else p for p in parts[1:])]
        exact = mx.dequantize(*wide, group_size=group, bits=bits, mode=mode, dtype=mx.float32)
        values[f"{module}.weight"] = torch.tensor(exact.tolist())
    config = {"model_type": "none", "quantization": {"group_size": 32, "bits": 4, "mode": "mxfp4", **overrides}}
    write("mlx", config, lambda file: mx.save_safetensors(str(file), stored, {"format": "mlx"}), values)


def fp8():
    generator = torch.Generator().manual_seed(71)
    rows, columns = 4, 8  # of a block; DeepSeek's are 128 x 128
    stored, values = {}, {}
    for name, shape, dtype in (("whole", (8, 16), torch.float32), ("cut", (10, 21), torch.float32), ("bf16", (4, 9), torch.bfloat16)):
        bits = torch.randint(256, shape, generator=generator)
        bits[bits % 128 == 127] = 0  # no number
        quanta = bits.to(torch.uint8).view(torch.float8_e4m3fn)
        blocks = (-(-shape[0] // rows), -(-shape[1] // columns))
        factors = (0.1 + torch.rand(blocks, generator=generator)).to(dtype)
        stored[f"{name}.weight"], stored[f"{name}.weight_scale_inv"] = quanta, factors
        spread = factors.float().repeat_interleave(rows, 0).repeat_interleave(columns, 1)
        values[f"{name}.weight"] = quanta.float() * spread[: shape[0], : shape[1]]
    config = {"model_type": "none", "quantization_config": {"quant_method": "fp8", "weight_block_size": [rows, columns]}}
    write("fp8", config, lambda file: save_file(stored, file, metadata={"format": "pt"}), values)


if __name__ == "__main__":
    mlx_modes()
    fp8()
    for file in FORMATS.rglob("*.safetensors"):
        file.chmod(0o644)
