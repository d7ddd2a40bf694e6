"""Cross-entropy of the output layer, in chunks of rows.

The gradient is taken while a chunk's logits are there, so that all N * V of them are never stored: a third of a training step before.
"""

import torch
from torch import Tensor

from .precision import compute

CHUNK = {"cpu": 512, "cuda": 16384}


class HeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, target: Tensor) -> Tensor:
        """x [N, D], weight [V, D], target [N] to the mean loss in nats."""
        n, dtype = len(x), compute()
        rows, w = x.to(dtype), weight.to(dtype)
        dx = torch.empty_like(rows)
        dw = torch.zeros(weight.shape, device=weight.device) if ctx.needs_input_grad[1] else None
        total = torch.zeros((), device=x.device)
        for i, logits, best in chunks(rows, w):
            t = target[i : i + len(logits), None]
            at = logits.gather(1, t)
            mass = logits.sub_(best).exp_().sum(1, keepdim=True)
            total += (mass.log() + best - at).sum()
            p = logits.mul_(1 / (mass * n))
            p.scatter_add_(1, t, torch.full_like(at, -1 / n))
            p = p.to(dtype)
            dx[i : i + len(p)] = p @ w
            if dw is not None:
                dw += p.t() @ rows[i : i + len(p)]
        ctx.save_for_backward(dx, dw)
        ctx.x_dtype = x.dtype
        return total / n

    @staticmethod
    def backward(ctx, gradient: Tensor):
        dx, dw = ctx.saved_tensors
        return (dx * gradient).to(ctx.x_dtype), None if dw is None else dw * gradient, None


@torch.no_grad()
def token_losses(x: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """The loss of every row in nats, [N]."""
    losses = torch.empty(len(x), device=x.device)
    for i, logits, best in chunks(x.to(compute()), weight.to(compute())):
        at = logits.gather(1, target[i : i + len(logits), None])
        mass = logits.sub_(best).exp_().sum(1, keepdim=True)
        losses[i : i + len(at)] = (mass.log() + best - at)[:, 0]
    return losses


def chunks(rows: Tensor, weight: Tensor):
    """(first row, logits in float32, their largest); one buffer is used again for every chunk."""
    size = CHUNK[rows.device.type]
    buffer = torch.empty(size, len(weight), device=rows.device)
    for i in range(0, len(rows), size):
        part = rows[i : i + size]
        logits = buffer[: len(part)].copy_(part @ weight.t())
        yield i, logits, logits.amax(1, keepdim=True)
