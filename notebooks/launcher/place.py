"""Where things are, and how the launcher gives up."""

from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[1]
ROOT = NOTEBOOKS.parent


class Stop(Exception):
    """What failed and what to do next, in one sentence."""
