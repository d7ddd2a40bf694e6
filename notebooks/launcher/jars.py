"""The two programs that Maven builds."""

import os
import shutil
import subprocess

from place import ROOT
from stop import Stop

KERNEL = ROOT / "kernel" / "target" / "espalier-kernel.jar"
NODE = ROOT / "node-server" / "target" / "espalier-node.jar"
MODULES = ("native-metal", "models", "cluster-client", "node-server", "kernel")


def build_missing(java_home):
    """Runs Maven where a jar is missing or older than a source of any module."""
    if all(jar.exists() for jar in (KERNEL, NODE)) and newest_source() <= min(jar.stat().st_mtime for jar in (KERNEL, NODE)):
        return
    maven = shutil.which("mvn")
    if not maven:
        raise Stop(
            "the kernel has to be built and Maven was not found: install Maven 3.8 or newer "
            "(Debian and Ubuntu: apt install maven; macOS: brew install maven)"
        )
    print("Building the kernel and the node (the first time this takes some minutes) ...", flush=True)
    command = [maven, "-B", "-q", "-DskipTests", "-Dspotless.check.skip=true", "package"]
    built = subprocess.run(command, cwd=ROOT, env={**os.environ, "JAVA_HOME": str(java_home)})
    if built.returncode:
        raise Stop(f"the build failed with Maven's messages above: fix that, or try {' '.join(command[1:])} by hand in {ROOT}")
    for jar in (KERNEL, NODE):
        jar.touch()  # Maven leaves a jar alone whose own modules did not change: it is up to date all the same


def newest_source():
    sources = [ROOT / "pom.xml"]
    for module in MODULES:
        sources.append(ROOT / module / "pom.xml")
        sources += (path for path in (ROOT / module / "src" / "main").rglob("*") if path.is_file())
    return max(path.stat().st_mtime for path in sources)


def check():
    for jar in (KERNEL, NODE):
        if not jar.exists():
            raise Stop(f"{jar} is missing: run ./notebooks/lab without --no-build, or mvn package")


def archive():
    """The node's class archive, where it is missing or older than the jar: without it the node only starts more slowly."""
    made = subprocess.run([ROOT / "espalier-node", "--archive"], capture_output=True, text=True)
    if made.returncode:
        print(made.stderr.strip(), flush=True)
