"""In which format matrices are multiplied: whichever is the faster on this machine in training (sums in float32), float32 for comparisons."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_compute = torch.bfloat16


def compute() -> torch.dtype:
    return _compute


def fastest(device: torch.device) -> torch.dtype:
    """bfloat16, unless this CPU has no instructions for it: there it takes up to forty times as long as float32."""
    if device.type != "cpu":
        return torch.bfloat16
    return min((torch.bfloat16, torch.float32), key=seconds_of_a_product)


def seconds_of_a_product(dtype: torch.dtype) -> float:
    """The least of three, so that another process that comes between does not decide."""
    matrix, times = torch.ones(512, 512, dtype=dtype), []
    for _ in range(4):  # the first compiles
        began = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - began)
    return min(times[1:])


def use(dtype: torch.dtype) -> None:
    global _compute
    _compute = dtype


@contextmanager
def computing_in(dtype: torch.dtype) -> Iterator[None]:
    before = _compute
    use(dtype)
    try:
        yield
    finally:
        use(before)
