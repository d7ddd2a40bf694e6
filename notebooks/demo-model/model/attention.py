"""Multi-head latent attention: queries and key-values pass through low ranks; one rotated key is shared by all heads."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config
from .layers import Linear, RMSNorm

BLOCK = 128  # queries at a time on a CPU: 41 ms a layer where the fused kernel took 83 to 126 ms


class Attention(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.q_a_proj, self.q_a_layernorm = Linear(c.d, c.q_lora), RMSNorm(c.q_lora, c.eps)
        self.q_b_proj = Linear(c.q_lora, c.heads * (c.nope + c.rope))
        self.kv_a_proj_with_mqa, self.kv_a_layernorm = Linear(c.d, c.kv_lora + c.rope), RMSNorm(c.kv_lora, c.eps)
        self.kv_b_proj = Linear(c.kv_lora, c.heads * (c.nope + c.v))
        self.o_proj = Linear(c.heads * c.v, c.d)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        c, (B, T, _) = self.c, x.shape
        q = self.q_b_proj(self.q_a_layernorm(self.q_a_proj(x))).view(B, T, c.heads, -1).transpose(1, 2)  # [B, H, T, nope + rope]
        latent, k_rotated = self.kv_a_proj_with_mqa(x).split([c.kv_lora, c.rope], -1)
        kv = self.kv_b_proj(self.kv_a_layernorm(latent)).view(B, T, c.heads, -1).transpose(1, 2)
        k, v = kv.split([c.nope, c.v], -1)
        q, q_rotated = q.split([c.nope, c.rope], -1)
        cos, sin = cos.to(q.dtype), sin.to(q.dtype)
        q = torch.cat([q, rotate(q_rotated, cos, sin)], -1)
        k = torch.cat([k, rotate(k_rotated[:, None], cos, sin).expand(-1, c.heads, -1, -1)], -1)
        y = fused(q, k, v) if x.device.type == "cuda" else blocked(q, k, v)
        return self.o_proj(y.transpose(1, 2).reshape(B, T, -1))


def angles(c: Config, T: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """cos and sin, [T, rope / 2]."""
    frequencies = c.theta ** (-torch.arange(0, c.rope, 2, device=device) / c.rope)
    angle = torch.arange(T, device=device)[:, None] * frequencies
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """The checkpoint stores the two parts of a pair side by side; the order of the result matters to no dot product."""
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def blocked(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention by blocks of queries."""
    out = []
    mask = torch.ones(BLOCK, BLOCK, dtype=torch.bool, device=q.device).triu(1)
    q = q * q.shape[-1] ** -0.5
    for i in range(0, q.shape[2], BLOCK):
        scores = q[:, :, i : i + BLOCK] @ k[:, :, : i + BLOCK].transpose(2, 3)
        n = scores.shape[2]
        scores[..., i:].masked_fill_(mask[:n, :n], float("-inf"))
        out.append(scores.softmax(-1) @ v[:, :, : i + BLOCK])
    return torch.cat(out, 2)


def fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Values padded to the keys' size: only equal sizes reach the fused kernels."""
    padded = F.pad(v, (0, q.shape[-1] - v.shape[-1]))
    return F.scaled_dot_product_attention(q, k, padded, is_causal=True)[..., : v.shape[-1]]
