"""The wheel, as pip installs it elsewhere: the kernel starts from it, and says in words what it lacks. And the archive of its classes."""

import json
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import environment
import jars
import jdk
import jdks
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from notebook import Notebook
from place import ROOT

ICONS = {"logo-32x32.png", "logo-64x64.png", "logo-svg.svg"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder into which pip has installed the wheel, as sys.prefix of another Python has it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", folder, environment.build_wheel()], check=True, timeout=120)
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_it_has_kernel_icons_and_entry_point(installed):
    kernel = installed / "share" / "jupyter" / "kernels" / "espalier"
    assert {file.name for file in kernel.iterdir()} - {"__pycache__"} == {"espalier-kernel.jar", "jdk.py", "stop.py", "launch.py", "kernel.json", *ICONS}
    assert (kernel / "espalier-kernel.jar").stat().st_size == jars.KERNEL.stat().st_size
    points = next(installed.glob("espalier-*.dist-info")) / "entry_points.txt"
    assert points.read_text().split("\n")[:2] == ["[papermill.engine]", "espalier = espalier.parameters:Engine"]


def test_it_has_the_version_of_the_project(installed):
    version = re.search(r"<version>(.*?)(-SNAPSHOT)?</version>", (ROOT / "pom.xml").read_text())[1]
    assert next(installed.glob("espalier-*.dist-info")).name == f"espalier-{version}.dist-info"


def test_its_kernelspec_says_what_the_other_one_says(installed):
    theirs = json.loads((installed / "share/jupyter/kernels/espalier/kernel.json").read_text())
    ours = json.loads((environment.VENV / "share/jupyter/kernels/espalier/kernel.json").read_text())
    assert {**theirs, "argv": None} == {**ours, "argv": None}


def test_the_kernel_starts_from_it(installed, cache):
    specs = KernelSpecManager(kernel_dirs=[str(installed / "share/jupyter/kernels")])
    manager = KernelManager(kernel_name="espalier", kernel_spec_manager=specs)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        book = Notebook(manager, client)
        assert book.ok("6 * 7").result == "42"
        jar = book.ok('System.getProperty("java.class.path")').result
        assert Path(jar) == installed / "share/jupyter/kernels/espalier/espalier-kernel.jar"
        await_archive(cache)
        assert str(manager.provisioner.process.pid) == book.ok("ProcessHandle.current().pid()").result  # no second process in between
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def await_archive(cache):
    """The first start makes it in the background."""
    deadline = time.monotonic() + 60
    while not list(cache.glob("**/classes-*.jsa")):
        assert time.monotonic() < deadline, list(cache.rglob("*"))
        time.sleep(0.1)


def test_without_a_jdk_it_says_what_to_install(installed, cache, tmp_path):
    launch = installed / "share/jupyter/kernels/espalier/launch.py"
    done = subprocess.run([sys.executable, launch, "x.json"], capture_output=True, text=True, env={"PATH": str(tmp_path), "HOME": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.startswith("espalier: the kernel cannot start: no Java was found: install a JDK 17 or newer")


def test_a_cache_that_cannot_be_written_is_no_obstacle(installed, cache):
    cache.write_text("a file where the folder should be")
    launch = installed / "share/jupyter/kernels/espalier/launch.py"
    done = subprocess.run([sys.executable, launch, "missing.json"], capture_output=True, text=True, timeout=60)
    assert "cannot write the kernel to" in done.stderr
    assert "cannot read the connection file missing.json" in done.stderr  # the kernel itself ran


@pytest.fixture(scope="module")
def spec():
    """The kernelspec of .venv with its archive made from the jar as it is now."""
    environment.install_kernel(jdk.find())
    return environment.VENV / "share/jupyter/kernels/espalier"


def test_the_kernel_has_an_icon(spec):
    assert ICONS <= {file.name for file in spec.iterdir()}
    assert (spec / "logo-64x64.png").read_bytes().startswith(b"\x89PNG")


def options(spec):
    """The command of the kernel up to -jar."""
    argv = json.loads((spec / "kernel.json").read_text())["argv"]
    return argv[: argv.index("-jar")]


def test_classes_come_from_the_archive(spec, tmp_path):
    log = tmp_path / "classes.txt"
    subprocess.run([*options(spec), f"-Xlog:class+load:file={log}", "-jar", jars.KERNEL, "--version"], check=True, timeout=60)
    loaded = dict(re.findall(r"(\S+) source: (.*)", log.read_text()))
    assert loaded["org.espalier.kernel.EspalierKernel"] == "shared objects file (top)"


def test_an_archive_is_not_made_twice(spec):
    archive = next(spec.glob("classes-*.jsa"))
    before = archive.stat()
    environment.install_kernel(jdk.find())
    assert (archive.stat().st_ino, archive.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert before.st_mtime_ns == jars.KERNEL.stat().st_mtime_ns


def java_versions():
    version, newest = jdks.newest()
    return [None, newest] if version > jdks.NEWER_THAN else [None]


@pytest.mark.parametrize("java", java_versions())
@pytest.mark.parametrize("what", ["gone", "of another jar", "damaged"])
def test_an_archive_that_does_not_fit_is_not_mentioned(spec, tmp_path, what, java):
    """Neither by the JVM that it was made for nor by another one."""
    jar = tmp_path / "other.jar"
    with zipfile.ZipFile(jar, "w") as other, zipfile.ZipFile(jars.KERNEL) as kernel:
        for name in ("META-INF/MANIFEST.MF", "org/espalier/kernel/EspalierKernel.class"):
            other.writestr(name, kernel.read(name))
    command = [java or options(spec)[0], *options(spec)[1:]]
    if what != "of another jar":
        archive = tmp_path / "classes.jsa"
        command = [f"-XX:SharedArchiveFile={archive}" if part.startswith("-XX:SharedArchiveFile") else part for part in command]
        if what == "damaged":
            archive.write_bytes(b"no archive")
        jar = jars.KERNEL
    done = subprocess.run([*command, "-jar", jar, "--version"], capture_output=True, text=True, timeout=60)
    if what == "of another jar":
        assert "NoClassDefFoundError" in done.stderr  # it has but one class: the archive's are not taken instead
        assert "cds" not in done.stdout + done.stderr
    else:
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
