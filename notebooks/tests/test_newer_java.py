"""What was built for Java 17 runs on the newest JDK of this machine too."""

import json
import subprocess

import jars
import jdks
import notebook
import pytest
from place import ROOT

TINY = ROOT / "models" / "src" / "test" / "resources" / "models" / "deepseek_v3-tiny"


@pytest.fixture(scope="module")
def java():
    version, path = jdks.newest()
    if version <= jdks.NEWER_THAN:
        pytest.skip(f"no JDK newer than {jdks.NEWER_THAN} in {', '.join(jdks.PLACES)}")
    return path


def test_the_node(java):
    want = json.loads((TINY / "golden.json").read_text())["prompts"][0]
    ids = ",".join(map(str, want["prompt_ids"]))
    command = [java, "-jar", jars.NODE, "run", "--model", TINY / "hf", "--nodes", 2, "--tokens", ids, "--ignore-eos", "--json"]
    done = subprocess.run([*map(str, command), "--predict", "24"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tokens"] == want["greedy_ids"]
    assert "WARNING" not in done.stderr


def test_the_kernel(java):
    with notebook.running(java=java) as book:
        assert int(book.ok("Runtime.version().feature()").result) > jdks.NEWER_THAN
        assert book.ok('record Point(int x) {}\nvar p = new Point(4);\np').result == "Point[x=4]"
        assert "interrupted" in book.interrupted("System.out.println(1); while (true) { try { Thread.sleep(10); } catch (Throwable t) {} }").error
        book.ok(f"%model load {TINY / 'mlx4'}")
        shown = book.ok("%generate --max-tokens 5 hello")
        assert shown.text.strip() and "WARNING" not in shown.text
