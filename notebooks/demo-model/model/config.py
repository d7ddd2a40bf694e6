"""Sizes of the model. Every inner size is a multiple of 64, so that 4-bit groups of 64 divide each matrix, also the split kv_b_proj."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    vocab: int = 8192
    d: int = 256
    layers: int = 8
    heads: int = 4
    q_lora: int = 128
    kv_lora: int = 64
    nope: int = 64  # of a head: without position
    rope: int = 32  # of a head: with position
    v: int = 64
    dense: int = 640  # feed-forward width of the first layer, which has no experts
    experts: int = 64
    top_k: int = 4
    width: int = 64  # feed-forward width of one expert
    shared: int = 2  # the shared expert is as wide as this many experts
    scale: float = 2.0  # routed_scaling_factor
    mtp: int = 0  # layers that predict the token after the next one
    theta: float = 10000.0
    eps: float = 1e-6


PRESETS = {
    "e64": Config(),  # 29.2 M parameters, 6.4 M active
    "e32": Config(experts=32, width=128, shared=1),  # the same size, a sixth slower
    "mtp": Config(mtp=1),  # 32.8 M
    "wide": Config(d=320, heads=5, layers=10, dense=896, shared=1),  # 45 M, 9.2 M active: for a GPU and more text
}
