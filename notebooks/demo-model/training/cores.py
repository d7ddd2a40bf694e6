"""How many threads to compute with, beside other work on the same machine.

OpenMP's threads wait for each other after every small operation. Where another process holds a core, two threads are slower than one: 400
to 650 tokens/s against 1450 (2400 on a free machine), at the lowest priority.
"""

import os
from pathlib import Path

import torch

STAT = Path("/proc/stat")  # Linux; elsewhere the number stays
BUSY = 0.3  # cores that others use
ENOUGH = 50  # ticks (1/100 s) of all cores for a judgement


class Threads:
    """Takes one thread while others, at normal priority, use a good part of a core. This process must run with `nice`."""

    def __init__(self, most: int):
        self.most, self.before = most, ticks()
        torch.set_num_threads(most)

    def adapt(self) -> None:
        if self.before is None or self.most == 1:
            return
        now = ticks()
        passed = [b - a for a, b in zip(self.before, now, strict=True)]
        if sum(passed) >= ENOUGH:
            others = (passed[0] + passed[2]) / sum(passed) * (os.cpu_count() or 1)  # user and system; niced time is passed[1]
            torch.set_num_threads(1 if others > BUSY else self.most)
            self.before = now


def ticks() -> list[int] | None:
    if not STAT.exists():
        return None
    return [int(field) for field in STAT.read_text().split("\n", 1)[0].split()[1:]]


def relaunch_environment() -> dict[str, str] | None:
    """What has to be set before Python starts, or None if it is: memory is kept (page faults were up to a fifth of a step), and waiting
    threads sleep soon."""
    wanted = {
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": "-1",
        "MALLOC_TOP_PAD_": str(64 << 20),
        "GOMP_SPINCOUNT": "5000",
    }
    return None if "MALLOC_MMAP_MAX_" in os.environ else {**wanted, **os.environ}
