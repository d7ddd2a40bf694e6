"""Held-out bits per byte of each domain, and what the routers chose meanwhile."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from corpus.sources import DOMAINS
from model.deepseek import Model

from .data import HeldOut
from .information import layer_report

LENGTH = 512  # tokens of a row
ALL = 10**6


@dataclass(frozen=True)
class Measurement:
    bits_per_byte: dict[str, float]
    routing: list[dict]  # of each layer with experts; see layer_report

    @property
    def mean(self) -> float:
        return sum(self.bits_per_byte.values()) / len(self.bits_per_byte)

    def line(self) -> str:
        domains = " ".join(f"{domain} {bits:.3f}" for domain, bits in self.bits_per_byte.items())
        shared = " ".join(f"{layer['mi']:.2f}" for layer in self.routing)
        return f"{self.mean:.4f} ({domains}), shared bits by layer {shared}, dead {sum(layer['dead'] for layer in self.routing)}"


@torch.no_grad()
def measure(model: Model, held: HeldOut, most: int, device: torch.device) -> Measurement:
    """On at most `most` rows of each domain."""
    bits, labels, counts = {}, [], {i: [] for i in model.mixtures() if i < model.c.layers}
    for d, domain in enumerate(DOMAINS):
        ids, target = held.rows(d, LENGTH, most)
        nats = 0.0
        for i in range(0, len(ids), 8):
            rows = ids[i : i + 8].to(device)
            nats += model.token_losses(rows, target[i : i + 8].to(device)).double().sum().item()
            for layer, moe in model.mixtures().items():
                if layer in counts:
                    counts[layer] += F.one_hot(moe.chosen.view(len(rows), -1), model.c.experts).sum(1).tolist()
            labels += [d] * len(rows)
        bits[domain] = nats / target.numel() / math.log(2) / held.bytes_per_token[d]
    return Measurement(bits, [{"layer": layer, **layer_report(labels, rows, len(DOMAINS))} for layer, rows in counts.items()])
