"""Everything that a run needs to go on: one file, replaced whole."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from model.config import Config
from model.deepseek import Model

from .four_bits import weights
from .log import last_line
from .muon import optimizers

FILE = "state.pt"
COUNTERS = ("step", "trained", "tokens", "first", "fall_began")


@dataclass
class Run:
    model: Model
    optimizers: list[torch.optim.Optimizer]
    step: int = 0
    trained: float = 0.0  # seconds of training, without measurements
    tokens: int = 0
    first: int = 0  # step at which the optimizers began
    fall_began: float | None = None  # seconds of training when the rate began to fall

    @staticmethod
    def fresh(config: Config, rate: float, device: torch.device) -> "Run":
        model = Model(config).to(device)
        return Run(model, optimizers(model, rate))

    @staticmethod
    def of(checkpoint: Path, course: Path, config: Config, rate: float, device: torch.device) -> "Run":
        """With the weights of a 4-bit checkpoint; `course`, its training's log, tells how far that went. Optimizers begin anew."""
        run, last = Run.fresh(config, rate, device), last_line(course)
        run.model.load_state_dict(weights(checkpoint, config))
        run.first = run.step = int(last["step"])
        run.trained, run.tokens = last["seconds"], int(last["tokens"])
        return run

    @staticmethod
    def load(folder: Path, rate: float, device: torch.device) -> "Run":
        state = torch.load(folder / FILE, map_location=device, weights_only=True)
        run = Run.fresh(Config(**state["config"]), rate, device)
        run.model.load_state_dict(state["model"])
        for optimizer, saved in zip(run.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for name in COUNTERS:
            setattr(run, name, state[name])
        return run

    def save(self, folder: Path) -> None:
        state = {
            "config": asdict(self.model.c),
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            **{name: getattr(self, name) for name in COUNTERS},
        }
        torch.save(state, folder / (FILE + ".new"))
        os.replace(folder / (FILE + ".new"), folder / FILE)  # a run killed while it writes keeps its last state


def load_model(folder: Path) -> Model:
    """Only the weights, on the CPU."""
    state = torch.load(folder / FILE, map_location="cpu", weights_only=True, mmap=True)
    model = Model(Config(**state["config"]))
    model.load_state_dict(state["model"])
    return model.eval()
