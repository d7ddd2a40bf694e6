"""The virtual environment .venv at the root, with JupyterLab and the kernel in it."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import jars
from place import NOTEBOOKS, ROOT
from stop import Stop

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = NOTEBOOKS / "requirements.txt"
PACKAGE = NOTEBOOKS / "python"
STAMP = VENV / "espalier-stamp"  # written last: what has none is half made


def make():
    """Makes .venv anew unless the one there was finished with the same Python; brings it up to date where the requirements changed."""
    finished = STAMP.read_text() if PYTHON.exists() and STAMP.exists() else ""
    if finished == recipe():
        return
    if finished.partition(" ")[2] != recipe().partition(" ")[2]:
        make_empty()
    print("Installing JupyterLab into .venv ...", flush=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(
        [*pip, "--requirement", REQUIREMENTS],
        f"pip could not install {REQUIREMENTS} for the reason above: check the network and run this again",
    )
    run([*pip, "--no-deps", "--no-build-isolation", "--editable", PACKAGE], f"pip could not install {PACKAGE} for the reason above")
    quiet_front_end()
    STAMP.write_text(recipe())


def make_empty():
    if VENV.exists() and not (VENV / "pyvenv.cfg").exists() and any(VENV.iterdir()):
        raise Stop(f"{VENV} exists and is not a virtual environment: move it away")
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        raise Stop(
            f"{sys.executable} has no module {error.name}, which makes virtual environments: "
            "install it (Debian and Ubuntu: apt install python3-venv)"
        ) from None
    # The base interpreter: an activated .venv must not delete the Python that it runs on.
    python = getattr(sys, "_base_executable", sys.executable)
    run([python, "-m", "venv", "--clear", VENV], f"{python} could not make {VENV} for the reason above")


def recipe():
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + (PACKAGE / "pyproject.toml").read_bytes()).hexdigest()
    return f"{digest} {sys.base_prefix} {sys.version}\n"


def quiet_front_end():
    """No question about news and no look-up of newer versions in a fresh JupyterLab; a home for its own files."""
    (VENV / "jupyter").mkdir(exist_ok=True)
    settings = VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    choice = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    settings.write_text(json.dumps(choice))


def install_kernel(java_home):
    """The kernelspec points at the jar and the JDK, both of which may have changed since: asked for every time, and quick if they did not."""
    run(
        [Path(java_home, "bin", "java"), "-jar", jars.KERNEL, "--install", "--prefix", VENV],
        f"the kernel could not be installed into {VENV} for the reason above",
        stdout=subprocess.DEVNULL,
    )


def build_wheel():
    """The package with the kernel in it, for other environments than this one; returns the file."""
    folder = NOTEBOOKS / "target"
    for old in folder.glob("espalier-*.whl"):
        old.unlink()
    pip = [PYTHON, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    run([*pip, "--wheel-dir", folder, PACKAGE], f"{PACKAGE} could not be built for the reason above")
    return next(folder.glob("espalier-*.whl"))


def variables():
    """What keeps Jupyter inside .venv: it neither reads nor writes the user's own settings."""
    home = VENV / "jupyter"
    return {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "npm_config_cache": str(home / "npm"),  # JupyterLab asks npm where it lives, and npm keeps a log of that
        "VIRTUAL_ENV": str(VENV),
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def run(command, failure, **options):
    if subprocess.run(command, **options).returncode:
        raise Stop(failure)
