"""Sentences of the model card that depend on the run. Skipped without PyTorch."""

from types import SimpleNamespace

import pytest

pytest.importorskip("torch", reason="needs PyTorch: pip install -r notebooks/demo-model/requirements.txt")

from report import card  # noqa: E402


def test_the_card_tells_what_a_run_went_on_from_and_what_rounding_did():
    log = [{"step": s, "tokens": s * 1e6, "rate": 0.004 if s < 3 else 0.002 / s} for s in (1, 2, 3, 4)]
    assert card.went_on(SimpleNamespace(run=log, first=1)) == ""
    assert card.went_on(SimpleNamespace(run=log, first=3)) == "Then 2.0 M tokens more from the 4-bit file of step 2, at 7e-04 and falling."
    assert card.cost(0.0241) == "Four bits cost 2.4% of the mean."
    assert card.cost(-0.0104).startswith("Rounding to four bits lowers the mean by 1.0%")
