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


@torch.no_grad()
def fill(loaded, seed):
    """Random values that bfloat16 holds for a model of transformers."""
    generator = torch.Generator().manual_seed(seed)
    for key, tensor in [*loaded.named_parameters(), *loaded.named_buffers()]:
        if any(fixed in key for fixed in ("rotary", "inv_freq", "embed_scale")):
            continue
        normal = torch.randn(tensor.shape, generator=generator)
        if "bias" in key:
            value = 0.2 * normal
        elif "norm" in key:
            value = 1 + 0.1 * normal
        elif key in ("model.embed_tokens.weight", "lm_head.weight"):
            tied = loaded.config.tie_word_embeddings
            value = 0.5 * printable(normal) if tied else printable(normal) if "lm" in key else normal
        else:
            value = 1.5 * normal / tensor.shape[-1] ** 0.5
        tensor.copy_(value.to(torch.bfloat16))


def printable(rows):
    """Output rows: logits of deviation 2 for printable ASCII and 0.3 for all else."""
    keep = torch.zeros(len(rows), dtype=torch.bool)
    keep[ord(" ") : ord("~") + 1] = True
    keep[tiny_tokenizer.BYTES : tiny_tokenizer.BOS] = True
    scale = 2 / rows.shape[-1] ** 0.5
    return torch.where(keep[:, None], scale * rows, 0.15 * scale * rows)
