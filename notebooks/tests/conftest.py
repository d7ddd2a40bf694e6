"""Keeps Jupyter inside .venv, as notebooks/lab does, and shows the tests where things are."""

import os
import sys
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(NOTEBOOKS / "launcher"))

import environment  # noqa: E402

os.environ.update(environment.variables())

import jdks  # noqa: E402
import notebook  # noqa: E402


@pytest.fixture(scope="session", params=["the kernel's Java", "the newest Java"])
def shared(request):
    """One kernel a JDK for all tests that only run cells: each names its variables so that no other test meets them."""
    java = None
    if request.param == "the newest Java":
        version, java = jdks.newest()
        if version <= jdks.NEWER_THAN:
            pytest.skip(f"no JDK newer than {jdks.NEWER_THAN} in {', '.join(jdks.PLACES)}")
    with notebook.running(java=java) as book:
        yield book


ONE_JDK = {  # what these ask does not depend on the JDK
    "test_completion_of_magics.py",
    "test_dependencies.py",
    "test_display.py",
    "test_exports.py",
    "test_headless.py",
    "test_magics.py",
    "test_magics_in_java.py",
    "test_models.py",
    "test_score.py",
    "test_tools.py",
}
EVERY_JDK = "test_an_artifact_and_what_it_needs_are_added_and_variables_stay"  # classes of added jars are rewritten


def pytest_collection_modifyitems(config, items):
    """Runs those files on the kernel's Java alone."""
    left_out = [item for item in items if item.path.name in ONE_JDK and "[the newest Java" in item.name and item.originalname != EVERY_JDK]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
