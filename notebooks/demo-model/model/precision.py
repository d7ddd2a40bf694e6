"""In which format matrices are multiplied: bfloat16 in training (sums in float32), float32 for comparisons."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_compute = torch.bfloat16


def compute() -> torch.dtype:
    return _compute


@contextmanager
def computing_in(dtype: torch.dtype) -> Iterator[None]:
    global _compute
    before, _compute = _compute, dtype
    try:
        yield
    finally:
        _compute = before
