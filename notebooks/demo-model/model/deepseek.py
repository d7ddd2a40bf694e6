"""The model: layers, the optional layer for multi-token prediction, losses and logits."""

import math

import torch
from torch import Tensor, nn

from .attention import Attention, angles
from .config import Config
from .head import HeadLoss, token_losses
from .layers import MLP, Linear, RMSNorm, linear
from .moe import MoE

MTP_SHARE = 0.3  # of the multi-token loss in the total


class Layer(nn.Module):
    def __init__(self, c: Config, feed_forward: nn.Module):
        super().__init__()
        self.self_attn, self.mlp = Attention(c), feed_forward
        self.input_layernorm, self.post_attention_layernorm = RMSNorm(c.d, c.eps), RMSNorm(c.d, c.eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class MultiTokenLayer(Layer):
    """Predicts the token after the next from the trunk's state and the next token's embedding (the report's section 2.2)."""

    def __init__(self, c: Config):
        super().__init__(c, MoE(c))
        self.enorm, self.hnorm, self.eh_proj = RMSNorm(c.d, c.eps), RMSNorm(c.d, c.eps), Linear(2 * c.d, c.d)
        self.shared_head = nn.ModuleDict({"norm": RMSNorm(c.d, c.eps)})

    def state(self, hidden: Tensor, embedded: Tensor, c: Config) -> Tensor:
        joined = self.eh_proj(torch.cat([self.enorm(embedded), self.hnorm(hidden)], -1)).to(hidden.dtype)
        return self.shared_head["norm"](self(joined, *angles(c, joined.shape[1], joined.device)))


class Model(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.model = nn.Module()
        self.model.embed_tokens = nn.Embedding(c.vocab, c.d)
        trunk = [Layer(c, MLP(c.d, c.dense) if i == 0 else MoE(c)) for i in range(c.layers)]
        self.model.layers = nn.ModuleList(trunk + [MultiTokenLayer(c) for _ in range(c.mtp)])
        self.model.norm = RMSNorm(c.d, c.eps)
        self.lm_head = Linear(c.d, c.vocab)
        self.initialise()

    def initialise(self) -> None:
        """Outputs of the residual branches start smaller, by their number (two a layer)."""
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                ends = any(part in name for part in ("embed", "gate.weight", "lm_head"))
                std = 0.02 if ends else parameter.shape[-1] ** -0.5
                if "o_proj" in name or "down_proj" in name:
                    std /= math.sqrt(2 * self.c.layers)
                nn.init.normal_(parameter, std=std)

    def hidden(self, ids: Tensor) -> Tensor:
        """[B, T] to [B, T, D], after the last norm."""
        x = self.model.embed_tokens(ids)
        cos, sin = angles(self.c, ids.shape[1], ids.device)
        for layer in self.model.layers[: self.c.layers]:
            x = layer(x, cos, sin)
        return self.model.norm(x)

    def loss(self, ids: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """What is to be minimised, and the losses of the next token and of the one after it (None without an MTP layer)."""
        x = self.hidden(ids)
        first = HeadLoss.apply(x.flatten(0, 1), self.lm_head.weight, target.flatten())
        total, second = first, None
        for layer in self.model.layers[self.c.layers :]:
            state = layer.state(x[:, :-1], self.model.embed_tokens(target[:, :-1]), self.c)
            second = HeadLoss.apply(state.flatten(0, 1), self.lm_head.weight, target[:, 1:].flatten())
            total = total + MTP_SHARE * second
        return total, first.detach(), second

    @torch.no_grad()
    def token_losses(self, ids: Tensor, target: Tensor) -> Tensor:
        """[B, T] in nats."""
        return token_losses(self.hidden(ids).flatten(0, 1), self.lm_head.weight, target.flatten()).view(target.shape)

    @torch.no_grad()
    def logits(self, ids: Tensor) -> Tensor:
        """[B, T, V]."""
        return linear(self.hidden(ids), self.lm_head.weight)

    def mixtures(self) -> dict[int, MoE]:
        """The layers with experts by their number, that of multi-token prediction last."""
        return {i: layer.mlp for i, layer in enumerate(self.model.layers) if isinstance(layer.mlp, MoE)}

    def sizes(self) -> dict[str, int]:
        """Parameters in all and used for one token (without the embedding table, of which a token reads one row), both without MTP."""
        c = self.c
        mtp = sum(p.numel() for layer in self.model.layers[c.layers :] for p in layer.parameters())
        total = sum(p.numel() for p in self.parameters()) - mtp
        routed = sum(p.numel() for i, moe in self.mixtures().items() if i < c.layers for p in moe.experts.parameters())
        active = total - routed + routed * c.top_k // c.experts - self.model.embed_tokens.weight.numel()
        return {"parameters": total, "active": active, "mtp": mtp}
