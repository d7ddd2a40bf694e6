"""Keeps Jupyter inside .venv, as notebooks/lab does, and shows the tests where things are."""

import os
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(NOTEBOOKS / "launcher"))

import environment  # noqa: E402

os.environ.update(environment.variables())
