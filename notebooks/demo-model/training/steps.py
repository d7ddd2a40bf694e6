"""One step of training after the other."""

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from .data import Training
from .four_bits import rounded_weights
from .muon import set_rate
from .schedule import Schedule
from .state import Run

BIAS_RATE = 5e-3  # how fast the routers' biases answer an uneven load
CLIP = 1.0  # of the gradient's norm
READ_EVERY = {"cpu": 1, "cuda": 20}  # steps: reading a number makes a GPU wait


@dataclass
class Steps:
    run: Run
    training: Training
    schedule: Schedule
    tokens: int  # of a step
    lengths: list[int]  # of the rows, a step each in turn
    loads: dict[int, Tensor] = field(default_factory=dict)  # [E] by MoE layer, since the biases were last moved

    def next(self) -> dict[str, float] | None:
        """Does a step; returns its numbers, named as the log's columns, where they are read."""
        run, began = self.run, time.monotonic()
        device = next(run.model.parameters()).device
        rate = self.schedule.at(run.step, run.trained)
        set_rate(run.optimizers, rate)
        ids, target = self.training.batch(self.tokens, self.lengths[run.step % len(self.lengths)])
        with rounded_weights(run.model) if self.schedule.rounds(run.trained) else nullcontext():
            total, loss, second = run.model.loss(ids.to(device), target.to(device))
            total.backward()
        norm = nn.utils.clip_grad_norm_(run.model.parameters(), CLIP)
        for optimizer in run.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        relative = self.balance(rate)
        run.step += 1
        run.tokens += ids.numel()
        numbers = None
        if run.step % READ_EVERY[device.type] == 0:
            numbers = {
                "step": run.step,
                "tokens": run.tokens,
                "seconds": round(run.trained, 1),
                "rate": round(rate, 6),
                "loss": round(loss.item(), 4),
                "mtp_loss": "" if second is None else round(second.item(), 4),
                "gradient_norm": round(norm.item(), 3),
                "tokens_per_second": round(ids.numel() / (time.monotonic() - began)),
                "max_load": round(relative.max().item(), 2),
                "min_load": round(relative.min().item(), 2),
                "threads": torch.get_num_threads(),
            }
            if not math.isfinite(numbers["loss"]):
                raise SystemExit(
                    f"train: the loss is {numbers['loss']} at step {run.step}: resume from the last state with a smaller --rate"
                )
        run.trained += time.monotonic() - began
        return numbers

    def balance(self, rate: float) -> Tensor:
        """Moves the routers' biases when every domain had its share of the rows; returns loads over their mean, [MoE layers, E]."""
        for layer, moe in self.run.model.mixtures().items():
            self.loads[layer] = self.loads.get(layer, 0) + moe.load()
        relative = torch.stack([load / load.mean() for load in self.loads.values()])
        if self.training.round_is_full():
            share = min(1.0, rate / self.schedule.rate + 0.1)
            for layer, moe in self.run.model.mixtures().items():
                moe.gate.balance(self.loads[layer], BIAS_RATE * share)
            self.loads.clear()
        return relative
