"""The model's fast parts against plain ones, in float32. Skipped without PyTorch: see requirements.txt of the training folder."""

import pytest

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install -r notebooks/demo-model/requirements.txt")

import torch.nn.functional as F  # noqa: E402

from model import precision  # noqa: E402
from model.attention import blocked  # noqa: E402
from model.config import Config  # noqa: E402
from model.deepseek import Model  # noqa: E402
from model.head import HeadLoss, token_losses  # noqa: E402
from model.moe import Gate  # noqa: E402
from model.precision import computing_in  # noqa: E402
from model.sorted_experts import SortedExperts  # noqa: E402
from training.drafts import acceptance, draft_loss, multi_token_layer, with_multi_token_layer  # noqa: E402
from training.muon import optimizers, orthogonal, set_rate  # noqa: E402
from training.state import Run  # noqa: E402

TINY = Config(
    vocab=96, d=64, layers=2, heads=2, q_lora=32, kv_lora=32, nope=16, rope=8, v=16, dense=64, experts=6, top_k=2, width=16, shared=1
)
EXACT = 2e-5  # float32 sums in another order


@pytest.fixture(autouse=True)
def exact():
    torch.manual_seed(0)
    with computing_in(torch.float32):
        yield


def test_sorted_experts_equal_a_plain_loop_with_their_gradients():
    N, D, E, K, width = 50, 16, 6, 2, 8
    x, gate_up, down = torch.randn(N, D), torch.randn(E, 2 * width, D), torch.randn(E, D, width)
    chosen = torch.rand(N, E - 1).topk(K, -1)[1]  # the last expert gets nothing
    weight = torch.rand(N, K)
    gradient = torch.randn(N, D)

    def plain(x, weight, gate_up, down):
        rows = []
        for n in range(N):
            row = torch.zeros(D)
            for k in range(K):
                e = chosen[n, k]
                gate, up = (gate_up[e] @ x[n]).chunk(2)
                row = row + weight[n, k] * (down[e] @ (F.silu(gate) * up))
            rows.append(row)
        return torch.stack(rows)

    def fast(x, weight, gate_up, down):
        return SortedExperts.apply(x, chosen, weight, gate_up, down)

    results = []
    for function in (plain, fast):
        inputs = [tensor.clone().requires_grad_() for tensor in (x, weight, gate_up, down)]
        out = function(*inputs)
        out.backward(gradient)
        results.append([out, *(tensor.grad for tensor in inputs)])
    for expected, found in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)  # sums of up to 50 products of normal numbers


def test_the_head_equals_cross_entropy_with_its_gradients():
    x, w = torch.randn(700, 16, requires_grad=True), torch.randn(96, 16, requires_grad=True)  # more than one chunk
    target = torch.randint(96, (700,))
    expected = F.cross_entropy(x @ w.t(), target)
    wanted = torch.autograd.grad(expected, (x, w))
    found = HeadLoss.apply(x, w, target)
    torch.testing.assert_close(found, expected, rtol=EXACT, atol=EXACT)
    for a, b in zip(torch.autograd.grad(found, (x, w)), wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=EXACT)
    torch.testing.assert_close(token_losses(x, w, target).mean(), expected, rtol=EXACT, atol=EXACT)


def test_attention_by_blocks_equals_the_fused_kernel():
    q, k, v = torch.randn(2, 3, 300, 24), torch.randn(2, 3, 300, 24), torch.randn(2, 3, 300, 16)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(blocked(q, k, v), expected, rtol=EXACT, atol=EXACT)


def test_a_token_does_not_see_what_follows():
    model = Model(TINY)
    ids = torch.randint(96, (1, 40))
    other = ids.clone()
    other[0, 30:] = (other[0, 30:] + 1) % 96
    difference = (model.logits(ids) - model.logits(other)).abs().amax(-1)[0]
    assert difference[:30].max() < EXACT < difference[30:].min()


def test_the_bias_takes_part_in_the_choice_alone():
    gate = Gate(TINY)
    torch.nn.init.normal_(gate.weight)
    x = torch.randn(20, 64)
    gate.e_score_correction_bias[3] = 10
    chosen, weight = gate(x)
    assert (chosen == 3).any(-1).all()
    torch.testing.assert_close(weight.sum(-1), torch.full((20,), TINY.scale))
    scores = (x @ gate.weight.t()).sigmoid().gather(1, chosen)
    torch.testing.assert_close(weight, scores / scores.sum(-1, keepdim=True) * TINY.scale)
    gate.balance(torch.tensor([0.0, 2, 1, 1, 1, 1]), 0.5)
    assert gate.e_score_correction_bias.tolist() == [0.5, -0.5, 0, 10, 0, 0]


@pytest.mark.parametrize("shape", [(5, 32, 64), (64, 32)])
def test_muons_direction_is_nearly_orthogonal(shape):
    matrix = torch.randn(shape)
    u, values, v = torch.linalg.svd(orthogonal(matrix, steps=5), full_matrices=False)
    assert 0.6 < values.min() and values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    torch.testing.assert_close(u @ v, left @ right, rtol=1e-3, atol=1e-3)  # the same directions, only the lengths differ


def test_training_learns_and_a_resumed_run_goes_on_exactly(tmp_path):
    run = Run.fresh(Config(**{**vars(TINY), "mtp": 1}), 3e-3, torch.device("cpu"))
    ids = torch.arange(64).repeat(4, 1) % 7

    def steps(run, n):
        losses = []
        for _ in range(n):
            total, loss, _ = run.model.loss(ids[:, :-1], ids[:, 1:])
            total.backward()
            set_rate(run.optimizers, 3e-3)
            for optimizer in run.optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            losses.append(loss.item())
        return losses

    first = steps(run, 30)
    assert first[-1] < 0.5 * first[0]
    run.step, run.trained, run.tokens = 30, 1.5, 7560
    run.save(tmp_path)
    resumed = Run.load(tmp_path, 3e-3, torch.device("cpu"))
    assert (resumed.step, resumed.trained, resumed.tokens, resumed.fall_began) == (30, 1.5, 7560, None)
    assert steps(resumed, 3) == steps(run, 3)


def test_training_computes_in_what_this_processor_multiplies_faster(monkeypatch):
    cpu = torch.device("cpu")
    for slow, fast in ((torch.bfloat16, torch.float32), (torch.float32, torch.bfloat16)):
        monkeypatch.setattr(precision, "seconds_of_a_product", {slow: 2.0, fast: 1.0}.get)
        assert precision.fastest(cpu) == fast
        assert precision.fastest(torch.device("cuda")) == torch.bfloat16


def test_every_parameter_has_one_optimizer():
    model = Model(TINY)
    held = [p for optimizer in optimizers(model, 1e-3) for group in optimizer.param_groups for p in group["params"]]
    assert len(held) == len(set(held)) == len(list(model.parameters()))


def test_a_multi_token_layer_learns_upon_a_trunk_that_stays():
    trunk = Model(TINY)
    torch.nn.init.normal_(trunk.lm_head.weight, std=0.3)  # a head that stays as small as it begins could not be sure of anything
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    model = with_multi_token_layer(trunk)
    ids = torch.arange(64).repeat(4, 1) % 7
    made, losses = optimizers(model, 3e-3), []
    for _ in range(40):
        loss = draft_loss(model, ids[:, :-1], ids[:, 1:])
        loss.backward()
        set_rate(made, 3e-3)
        for optimizer in made:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    for name, value in before.items():
        torch.testing.assert_close(model.state_dict()[name], value, rtol=0, atol=0)
    assert multi_token_layer(model).mlp.gate.e_score_correction_bias.abs().max() > 0


def test_drafts_equal_to_the_models_own_choice_are_counted():
    model = with_multi_token_layer(Model(TINY))

    class Held:
        def rows(self, domain, length, most):
            return torch.randint(96, (2, 32)), torch.randint(96, (2, 32))

    with torch.no_grad():
        model.lm_head.weight.zero_()  # every choice is token 0
    assert set(acceptance(model, Held(), 2, torch.device("cpu")).values()) == {1.0}
    with torch.no_grad():
        model.lm_head.weight[1].normal_()
        model.model.norm.weight.fill_(1)
        multi_token_layer(model).shared_head["norm"].weight.fill_(0)  # drafts stay token 0, the model's choice depends on its state
    assert all(0.1 < share < 0.9 for share in acceptance(model, Held(), 2, torch.device("cpu")).values())
