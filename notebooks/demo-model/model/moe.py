"""The mixture of experts: sigmoid scores; a bias that takes part in the choice alone keeps the load even, without an auxiliary loss.

DeepSeek-V3 technical report (arXiv 2412.19437), section 2.1.2; one group.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config
from .layers import MLP
from .sorted_experts import SortedExperts, grouped_experts


class Gate(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.weight = nn.Parameter(torch.empty(c.experts, c.d))
        self.register_buffer("e_score_correction_bias", torch.zeros(c.experts))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[N, D] to the chosen experts and their weights, both [N, K]."""
        scores = F.linear(x.float(), self.weight).sigmoid()
        chosen = (scores + self.e_score_correction_bias).topk(self.c.top_k, -1, sorted=False)[1]
        weight = scores.gather(1, chosen)
        return chosen, weight / (weight.sum(-1, keepdim=True) + 1e-20) * self.c.scale

    @torch.no_grad()
    def balance(self, load: Tensor, rate: float) -> None:
        """Raises the bias of experts that had fewer than the mean of the load [E], lowers that of the others."""
        self.e_score_correction_bias += rate * torch.sign(load.mean() - load)


class Experts(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.gate_up_proj = nn.Parameter(torch.empty(c.experts, 2 * c.width, c.d))
        self.down_proj = nn.Parameter(torch.empty(c.experts, c.d, c.width))

    def forward(self, x: Tensor, chosen: Tensor, weight: Tensor) -> Tensor:
        compute = grouped_experts if x.device.type == "cuda" else SortedExperts.apply
        return compute(x, chosen, weight, self.gate_up_proj, self.down_proj)


class MoE(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.experts, self.gate, self.shared_experts = Experts(c), Gate(c), MLP(c.d, c.width * c.shared)
        self.chosen: Tensor | None = None  # of the last forward pass, [N, K]

    def forward(self, x: Tensor) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        chosen, weight = self.gate(flat)
        self.chosen = chosen.detach()
        return self.experts(flat, chosen, weight).view(x.shape) + self.shared_experts(x)

    def load(self) -> Tensor:
        """How many slots each expert had in the last forward pass, [E]."""
        return F.one_hot(self.chosen.reshape(-1), self.gate.c.experts).sum(0).float()
