"""Token files as rows of a batch."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from corpus.sources import DOMAINS


ROUND = (*DOMAINS, *DOMAINS[:-1], "python")  # Python is the hardest to predict, data the easiest: three rows of sixteen against one


class Training:
    """Random pieces of the training text; each row from one domain, in the order of ROUND."""

    def __init__(self, work: Path, seed: int):
        self.tokens = {domain: np.memmap(work / "tokens" / f"{domain}.train.u16", dtype=np.uint16, mode="r") for domain in DOMAINS}
        self.random = np.random.default_rng(seed)
        self.row = 0

    def batch(self, tokens: int, length: int) -> tuple[Tensor, Tensor]:
        """Rows of `length` tokens, `tokens` in all, and the tokens that follow each."""
        rows = []
        for _ in range(tokens // length):
            text = self.tokens[ROUND[self.row % len(ROUND)]]
            start = int(self.random.integers(0, len(text) - length - 1))
            rows.append(text[start : start + length + 1])
            self.row += 1
        both = torch.from_numpy(np.stack(rows).astype(np.int64))
        return both[:, :-1].contiguous(), both[:, 1:].contiguous()

    def round_is_full(self) -> bool:
        """Whether every domain had its share of the rows so far."""
        return self.row % len(ROUND) == 0


class HeldOut:
    """The held-out text, evenly spread rows of it."""

    def __init__(self, work: Path):
        self.tokens = [np.fromfile(work / "tokens" / f"{domain}.held.u16", dtype=np.uint16) for domain in DOMAINS]
        counts = json.loads((work / "tokens.json").read_text())
        self.bytes_per_token = [counts[f"{domain}.held"]["bytes"] / counts[f"{domain}.held"]["tokens"] for domain in DOMAINS]

    def rows(self, domain: int, length: int, most: int) -> tuple[Tensor, Tensor]:
        """At most `most` rows of one domain, and the tokens that follow each."""
        text = self.tokens[domain]
        n = min(most, (len(text) - 1) // length)
        step = (len(text) - 1 - length) // max(n - 1, 1)
        both = torch.from_numpy(np.stack([text[i * step : i * step + length + 1] for i in range(n)]).astype(np.int64))
        return both[:, :-1], both[:, 1:]
