"""A multi-token-prediction layer upon a finished model, and how many of its drafts the model itself would have chosen.

The trunk does not change: its states are computed without gradients, and only the layer learns.
"""

from dataclasses import replace

import torch
from torch import Tensor

from corpus.sources import DOMAINS
from model.deepseek import Model, MultiTokenLayer
from model.head import HeadLoss
from model.layers import linear

from .data import HeldOut
from .evaluation import LENGTH
from .steps import BIAS_RATE

ROWS_AT_ONCE = 4  # of LENGTH x V logits


def with_multi_token_layer(trunk: Model) -> Model:
    """The same model with one more layer, which starts as a copy of the last one where it has the same parts."""
    model = Model(replace(trunk.c, mtp=1))
    model.load_state_dict(trunk.state_dict(), strict=False)
    layer = multi_token_layer(model)
    layer.load_state_dict(model.model.layers[trunk.c.layers - 1].state_dict(), strict=False)
    with torch.no_grad():
        layer.eh_proj.weight[:, trunk.c.d :] = torch.eye(trunk.c.d)  # it begins with the trunk's state, and learns to hear the next token
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in layer.parameters():
        parameter.requires_grad_(True)
    return model


def multi_token_layer(model: Model) -> MultiTokenLayer:
    return model.model.layers[model.c.layers]


def draft_loss(model: Model, ids: Tensor, target: Tensor) -> Tensor:
    """The mean loss of the token after the next, in nats; the layer's router bias is moved towards an even load."""
    layer = multi_token_layer(model)
    with torch.no_grad():
        x, following = model.hidden(ids), model.model.embed_tokens(target)
    state = layer.state(x[:, :-1], following[:, :-1], model.c)
    layer.mlp.gate.balance(layer.mlp.load(), BIAS_RATE)
    return HeadLoss.apply(state.flatten(0, 1), model.lm_head.weight, target[:, 1:].flatten())


@torch.no_grad()
def acceptance(model: Model, held: HeldOut, most: int, device: torch.device) -> dict[str, float]:
    """By domain: the share of positions of held-out text at which the draft of the token after the next is the model's own greedy choice."""
    layer, shares = multi_token_layer(model), {}
    for d, domain in enumerate(DOMAINS):
        ids, target = held.rows(d, LENGTH, most)
        accepted = drafted = 0
        for i in range(0, len(ids), ROWS_AT_ONCE):
            rows, following = ids[i : i + ROWS_AT_ONCE].to(device), target[i : i + ROWS_AT_ONCE].to(device)
            x = model.hidden(rows)
            state = layer.state(x[:, :-1], model.model.embed_tokens(following[:, :-1]), model.c)
            drafts = linear(state, model.lm_head.weight).argmax(-1)
            own = linear(x[:, 1:], model.lm_head.weight).argmax(-1)
            accepted += (drafts == own).sum().item()
            drafted += drafts.numel()
        shares[domain] = accepted / drafted
    return shares
