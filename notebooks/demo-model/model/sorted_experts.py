"""The experts' feed-forward on a CPU, with its gradient written by hand.

The N * K slots are sorted by expert and each expert's rows are padded to a multiple of 64: so that few matrix shapes exist (oneDNN compiles
a kernel for each). Autograd would keep and copy far more.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .precision import compute

PAD = 64


class SortedExperts(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, chosen: Tensor, weight: Tensor, gate_up: Tensor, down: Tensor) -> Tensor:
        """x [N, D], chosen and weight [N, K], gate_up [E, 2F, D], down [E, D, F] to [N, D]."""
        (N, K), dtype = chosen.shape, compute()
        spans, position, S = layout(chosen, gate_up.shape[0])
        token = torch.zeros(S, dtype=torch.long)  # padding rows read token 0 with weight 0
        token[position] = torch.arange(N * K) // K
        scale = torch.zeros(S, 1, dtype=dtype)
        scale[position, 0] = weight.reshape(-1).to(dtype)
        gate_up, down = gate_up.to(dtype), down.to(dtype)
        rows = x.to(dtype)[token]
        h, y = torch.empty(S, gate_up.shape[1], dtype=dtype), torch.empty(S, x.shape[1], dtype=dtype)
        for e, a, b in spans:
            torch.mm(rows[a:b], gate_up[e].t(), out=h[a:b])
        g, u = h.chunk(2, 1)
        activated = F.silu(g) * u
        for e, a, b in spans:
            torch.mm(activated[a:b], down[e].t(), out=y[a:b])
        ctx.save_for_backward(rows, h, y, scale, token, position, gate_up, down)
        ctx.spans, ctx.K, ctx.x_dtype = spans, K, x.dtype
        return (y[position].view(N, K, -1) * weight.to(dtype)[..., None]).sum(1)

    @staticmethod
    def backward(ctx, dout: Tensor):
        rows, h, y, scale, token, position, gate_up, down = ctx.saved_tensors
        N, D = dout.shape
        dout = dout.to(rows.dtype)
        dweight = (dout[:, None] * y[position].view(N, ctx.K, D)).sum(-1, dtype=torch.float32)
        dy = dout[token] * scale
        g, u = h.chunk(2, 1)
        s = torch.sigmoid(g)
        silu = g * s
        activated = silu * u
        dactivated, drows = torch.empty_like(activated), torch.empty_like(rows)
        dgate_up, ddown = torch.zeros_like(gate_up), torch.zeros_like(down)
        for e, a, b in ctx.spans:
            torch.mm(dy[a:b], down[e], out=dactivated[a:b])
            torch.mm(dy[a:b].t(), activated[a:b], out=ddown[e])
        dh = torch.cat([dactivated * u * (s + silu * (1 - s)), dactivated * silu], 1)
        for e, a, b in ctx.spans:
            torch.mm(dh[a:b], gate_up[e], out=drows[a:b])
            torch.mm(dh[a:b].t(), rows[a:b], out=dgate_up[e])
        dx = drows[position].view(N, ctx.K, D).sum(1)
        return dx.to(ctx.x_dtype), None, dweight, dgate_up.float(), ddown.float()


def layout(chosen: Tensor, experts: int) -> tuple[list[tuple[int, int, int]], Tensor, int]:
    """(expert, first row, end) of every expert with rows; the row of each slot [N * K]; the number of rows."""
    flat = chosen.reshape(-1)
    order = flat.argsort(stable=True)
    count = torch.bincount(flat, minlength=experts)
    padded = (count + PAD - 1) // PAD * PAD
    ends = padded.cumsum(0)
    starts = ends - padded
    within = torch.arange(len(flat)) - (count.cumsum(0) - count)[flat[order]]
    position = torch.empty_like(order)
    position[order] = within + starts[flat[order]]
    spans = [(e, a, b) for e, (a, b) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)) if b > a]
    return spans, position, int(ends[-1])


def grouped_experts(x: Tensor, chosen: Tensor, weight: Tensor, gate_up: Tensor, down: Tensor) -> Tensor:
    """The same on a GPU: one grouped matrix product a projection, and no waiting for the device."""
    N, K = chosen.shape
    flat = chosen.reshape(-1)
    order = flat.argsort(stable=True)
    ends = F.one_hot(flat, gate_up.shape[0]).sum(0).cumsum(0).to(torch.int32)
    rows = x.to(torch.bfloat16)[order // K]
    g, u = F.grouped_mm(rows, gate_up.to(torch.bfloat16).transpose(1, 2), offs=ends).chunk(2, 1)
    y = F.grouped_mm(F.silu(g) * u, down.to(torch.bfloat16).transpose(1, 2), offs=ends)
    back = torch.empty_like(order)
    back[order] = torch.arange(N * K, device=x.device)
    return (y[back].view(N, K, -1) * weight[..., None].to(y.dtype)).sum(1)
