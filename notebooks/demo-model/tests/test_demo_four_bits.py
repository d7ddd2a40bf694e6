"""The shipped file's weights, and rounding as it will be done, in float32. Skipped without PyTorch."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install -r notebooks/demo-model/requirements.txt")

from model.config import PRESETS, Config  # noqa: E402
from model.deepseek import Model  # noqa: E402
from training.four_bits import rounded, rounded_parameter, rounded_weights, unpacked, weights  # noqa: E402
from training.state import COUNTERS, Run  # noqa: E402

SHIPPED = Path(__file__).resolve().parents[3] / "models" / "demo"
SMALL = Config(vocab=64, d=64, layers=2, heads=2, q_lora=64, kv_lora=64, nope=64, rope=64, v=64, dense=64, experts=4, top_k=2, width=64)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_the_end_farther_from_zero_is_met_exactly_and_zero_stays_zero():
    group = torch.linspace(-0.75, 1.125, 64)  # levels are 1/8 apart, which bf16 has: 1.125 is the ninth from zero
    group[10] = 0.0
    found = rounded(group[None])[0]
    assert found[-1] == 1.125 and found[10] == 0.0
    assert (rounded(-group[None])[0] == -found).all()
    assert (found - group).abs().max() <= 1 / 16
    assert len(found.unique()) == 16
    assert (rounded(torch.zeros(2, 128)) == 0).all()


def test_levels_are_unpacked_lowest_bits_first():
    levels = torch.arange(64) % 16
    words = (levels.view(8, 8) << (4 * torch.arange(8))).sum(1).to(torch.uint32)
    found = unpacked(words[None], torch.tensor([[0.5]], dtype=torch.bfloat16), torch.tensor([[-2.0]], dtype=torch.bfloat16))
    assert found[0].tolist() == (0.5 * levels - 2).tolist()


def test_the_keys_of_latent_attention_are_rounded_turned_round():
    value = torch.randn(2 * 128, 64)
    found = rounded_parameter("model.layers.0.self_attn.kv_b_proj.weight", value, SMALL).view(2, 128, 64)
    for head, part in enumerate(value.view(2, 128, 64)):
        torch.testing.assert_close(found[head, :64], rounded(part[:64].t().contiguous()).t(), rtol=0, atol=0)
        torch.testing.assert_close(found[head, 64:], rounded(part[64:]), rtol=0, atol=0)


def test_training_with_rounded_weights_moves_the_exact_ones():
    model = Model(SMALL)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    ids = torch.randint(64, (2, 17))
    with rounded_weights(model):
        inside = {name: value.clone() for name, value in model.state_dict().items()}
        model.loss(ids[:, :-1], ids[:, 1:])[0].backward()
    for name, value in before.items():
        exact = value.dim() < 2 or name.endswith("gate.weight")
        assert torch.equal(inside[name], value) == exact, name
        torch.testing.assert_close(model.state_dict()[name], value, rtol=0, atol=0)
    assert all(parameter.grad is not None for parameter in model.parameters())
    with pytest.raises(ValueError, match="stop"), rounded_weights(model):
        raise ValueError("stop")
    torch.testing.assert_close(model.state_dict()["lm_head.weight"], before["lm_head.weight"], rtol=0, atol=0)


def test_a_run_begins_with_the_shipped_file(tmp_path):
    """Names and shapes fit the model, and the values are language: far below the 13 bits a token of a model that knows nothing."""
    course = tmp_path / "log.csv"
    course.write_text("step,tokens,seconds,rate\n20,81920,30.5,0.004\n40,163840,61.25,0.004\n")
    run = Run.of(SHIPPED, course, PRESETS["e64"], 1e-3, torch.device("cpu"))
    assert [getattr(run, name) for name in COUNTERS] == [40, 61.25, 163840, 40, None]
    ids = encoded("Diese Option legt fest, ob die Datei geöffnet wird, wenn das Programm gestartet wird.")
    bits = run.model.token_losses(ids[:, :-1], ids[:, 1:]).mean().item() / 0.6931
    assert bits < 6
    missing = set(run.model.state_dict()) ^ set(weights(SHIPPED, PRESETS["e64"]))
    assert missing == set()


def encoded(text):
    tokenizers = pytest.importorskip("tokenizers", reason="needs tokenizers: requirements.txt of the training folder")
    return torch.tensor([tokenizers.Tokenizer.from_file(str(SHIPPED / "tokenizer.json")).encode(text).ids])
