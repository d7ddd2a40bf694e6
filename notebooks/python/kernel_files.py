"""Puts the kernel into the wheel, as data files that land where Jupyter looks for kernels."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "share/jupyter/kernels/espalier"
FILES = (
    "kernel/target/espalier-kernel.jar",
    "kernel/src/main/resources/org/espalier/kernel/logo-32x32.png",
    "kernel/src/main/resources/org/espalier/kernel/logo-64x64.png",
    "kernel/src/main/resources/org/espalier/kernel/logo-svg.svg",
    "notebooks/launcher/jdk.py",
    "notebooks/launcher/stop.py",
    "notebooks/python/kernelspec/kernel.json",
    "notebooks/python/kernelspec/launch.py",
)


class KernelFiles(BuildHookInterface):
    def initialize(self, version, build_data):
        if version == "editable":
            return  # notebooks/lab installs the kernel itself, from the jar as built
        for file in (ROOT / name for name in FILES):
            if not file.is_file():
                raise FileNotFoundError(f"{file} is missing: run mvn package first")
            build_data["shared_data"][str(file)] = f"{FOLDER}/{file.name}"
