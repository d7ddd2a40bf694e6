"""What was built for Java 17 runs on the newest JDK of this machine too."""

import json
import re
import subprocess
import threading
from pathlib import Path

import jars
import notebook
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from place import ROOT

TINY = ROOT / "models" / "src" / "test" / "resources" / "models" / "deepseek_v3-tiny"
PLACES = ("/usr/lib/jvm/*", "/Library/Java/JavaVirtualMachines/*/Contents/Home", "/opt/java/*")
NEWER_THAN = 21


def newest():
    """(version, java) of the newest JDK in the usual places."""
    found = []
    for place in PLACES:
        root, _, pattern = place.partition("*")
        for home in Path(root).glob("*" + pattern) if Path(root).is_dir() else ():
            release = home / "release"
            version = re.search(r'JAVA_VERSION="(\d+)', release.read_text()) if release.is_file() else None
            if version and (home / "bin" / "javac").exists():
                found.append((int(version[1]), str(home / "bin" / "java")))
    return max(found, default=(0, ""))


@pytest.fixture(scope="module")
def java():
    version, path = newest()
    if version <= NEWER_THAN:
        pytest.skip(f"no JDK newer than {NEWER_THAN} in {', '.join(PLACES)}")
    return path


def test_the_node(java):
    want = json.loads((TINY / "golden.json").read_text())["prompts"][0]
    ids = ",".join(map(str, want["prompt_ids"]))
    command = [java, "-jar", jars.NODE, "run", "--model", TINY / "hf", "--nodes", 2, "--tokens", ids, "--ignore-eos", "--json"]
    done = subprocess.run([*map(str, command), "--predict", "24"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tokens"] == want["greedy_ids"]
    assert "WARNING" not in done.stderr


def test_the_kernel(java, tmp_path):
    subprocess.run([java, "-jar", str(jars.KERNEL), "--install", "--prefix", str(tmp_path)], check=True, timeout=60)
    specs = KernelSpecManager(kernel_dirs=[str(tmp_path / "share" / "jupyter" / "kernels")])
    manager = KernelManager(kernel_name="espalier", kernel_spec_manager=specs)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        book = notebook.Notebook(manager, client)
        assert int(book.ok("Runtime.version().feature()").result) > NEWER_THAN
        assert book.ok('record Point(int x) {}\nvar p = new Point(4);\np').result == "Point[x=4]"
        threading.Timer(1.5, manager.interrupt_kernel).start()
        assert "interrupted" in book.run("while (true) { try { Thread.sleep(10); } catch (Throwable t) {} }", timeout=60).error
        book.ok(f"%model load {TINY / 'mlx4'}")
        shown = book.ok("%generate --max-tokens 5 hello")
        assert shown.text.strip() and "WARNING" not in shown.text
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=False)
