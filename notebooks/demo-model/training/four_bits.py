"""Weights as the shipped file holds them: MLX's affine quantization, 4 bits in groups of 64.

A run can begin with a file's weights; and it can learn with weights rounded as a file will have them, so that they settle where rounding
costs little: loss and gradient are those of the rounded weights, the step goes to the exact ones (arXiv 1712.05877).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from model.config import Config
from model.deepseek import Model

GROUP, LEVELS = 64, 15
LEAST_SCALE = 1e-7


def weights(folder: Path, c: Config) -> dict[str, Tensor]:
    """A checkpoint's weights in float32 under the model's names: embed_q and unembed_out become kv_b_proj, the experts' gate and up one tensor."""
    from safetensors.torch import load_file

    packed = load_file(folder / "model.safetensors")
    values = {}
    for name, tensor in packed.items():
        module, _, kind = name.rpartition(".")
        if kind == "weight" and f"{module}.scales" in packed:
            values[name] = unpacked(tensor, packed[f"{module}.scales"], packed[f"{module}.biases"])
        elif kind not in ("scales", "biases"):
            values[name] = tensor.float()
    for i in range(c.layers):
        attention, experts = f"model.layers.{i}.self_attn.", f"model.layers.{i}.mlp.switch_mlp."
        keys, out = (values.pop(f"{attention}{name}.weight") for name in ("embed_q", "unembed_out"))
        values[f"{attention}kv_b_proj.weight"] = torch.cat([keys.mT, out], 1).flatten(0, 1)
        if f"{experts}down_proj.weight" in values:
            gate, up, down = (values.pop(f"{experts}{name}_proj.weight") for name in ("gate", "up", "down"))
            values[f"model.layers.{i}.mlp.experts.gate_up_proj"] = torch.cat([gate, up], 1)
            values[f"model.layers.{i}.mlp.experts.down_proj"] = down
    return values


def unpacked(packed: Tensor, scales: Tensor, biases: Tensor) -> Tensor:
    """uint32 [..., columns / 8], the lowest bits first, to [..., columns]."""
    pairs = packed.view(torch.uint8)
    levels = torch.stack([pairs & 15, pairs >> 4], -1).flatten(-2).unflatten(-1, (-1, GROUP))
    return (levels * scales.float()[..., None] + biases.float()[..., None]).flatten(-2)


def rounded(matrix: Tensor) -> Tensor:
    """[..., columns] as `espalier-node quantize` would write it and read it back; in each group the end farther from zero is met exactly."""
    groups = matrix.unflatten(-1, (-1, GROUP))
    low, high = groups.aminmax(dim=-1, keepdim=True)
    low_end = low.abs() > high.abs()
    edge = torch.where(low_end, low, high)
    scale = ((high - low) / LEVELS).clamp_min(LEAST_SCALE)
    scale = torch.where(low_end, scale, -scale)
    steps = (edge / scale).round()
    scale, bias = torch.where(steps != 0, edge / steps, scale), torch.where(steps != 0, edge, 0.0)
    levels = (groups - bias).div_(scale).round_().clamp_(0, LEVELS)
    return torch.addcmul(as_stored(bias), levels, as_stored(scale)).flatten(-2)


def as_stored(value: Tensor) -> Tensor:
    return value.bfloat16().float()


def rounded_parameter(name: str, value: Tensor, c: Config) -> Tensor:
    """In kv_b_proj the file has the keys' part transposed, by heads: it is applied to the queries."""
    if not name.endswith("kv_b_proj.weight"):
        return rounded(value)
    keys, out = value.view(c.heads, c.nope + c.v, c.kv_lora).split([c.nope, c.v], 1)
    return torch.cat([rounded(keys.mT.contiguous()).mT, rounded(out)], 1).view(value.shape)


def round_weights(model: Model) -> dict[Tensor, Tensor]:
    """Rounds all but norms and routers, which the file holds as they are; returns the exact values by parameter."""
    exact = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1 and not name.endswith("gate.weight"):
                exact[parameter] = parameter.data
                parameter.data = rounded_parameter(name, as_stored(parameter.data), model.c)  # export.py writes bf16
    return exact


@contextmanager
def rounded_weights(model: Model) -> Iterator[None]:
    """Within it the model computes, forward and backward, with rounded weights."""
    exact = round_weights(model)
    try:
        yield
    finally:
        for parameter, value in exact.items():
            parameter.data = value
