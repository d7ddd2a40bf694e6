"""Random tensors of a scale that keeps activations near one."""

import torch

import tiny_tokenizer


class Weights:
    def __init__(self, seed, dtype):
        self.generator = torch.Generator().manual_seed(seed)
        self.dtype = dtype
        self.tensors = {}

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def linear(self, name, rows, columns, gain=1.0):
        self.tensors[f"{name}.weight"] = (gain * self.normal(rows, columns) / columns**0.5).to(self.dtype)

    def norm(self, name, width):
        self.tensors[f"{name}.weight"] = (1 + 0.1 * self.normal(width)).to(self.dtype)

    def embedding(self, name, rows, width):
        self.tensors[f"{name}.weight"] = self.normal(rows, width).to(self.dtype)


def output_rows(weights, rows, width):
    """Logits of deviation 2 for printable ASCII and 0.3 for all else: what such a model babbles can be shown."""
    head = 2 * weights.normal(rows, width) / width**0.5
    printable = torch.zeros(rows, dtype=torch.bool)
    printable[ord(" ") : ord("~") + 1] = True
    printable[tiny_tokenizer.BYTES : tiny_tokenizer.BOS] = True
    head[~printable] *= 0.15
    return head
