"""A model that is fetched from a hub: by the command line and by the magic. The hub is a server on loopback with one tiny model."""

import hashlib
import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import notebook
import pytest
from place import ROOT

TINY = ROOT / "models" / "src" / "test" / "resources" / "models" / "deepseek_v3-tiny" / "hf"
NODE = ROOT / "node-server" / "target" / "espalier-node.jar"
COMMIT = "89abcdef0123456789abcdef0123456789abcdef"


class Hub(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/api/models/org/tiny/revision/main"):
            self.answer(json.dumps({"sha": COMMIT, "siblings": [self.sibling(f) for f in sorted(TINY.iterdir())]}).encode())
        elif self.path.startswith(f"/org/tiny/resolve/{COMMIT}/"):
            self.answer((TINY / self.path.rsplit("/", 1)[1]).read_bytes())
        else:
            self.send_error(404)

    @staticmethod
    def sibling(file):
        content = file.read_bytes()
        if file.suffix == ".safetensors":
            return {"rfilename": file.name, "lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}}
        git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        return {"rfilename": file.name, "size": len(content), "blobId": git}

    def answer(self, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words):
        pass


@pytest.fixture
def hub(tmp_path, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    yield tmp_path / "hf" / "hub" / "models--org--tiny"
    server.shutdown()


def test_the_command_line_says_where_it_lies(hub):
    done = subprocess.run(["java", "-jar", NODE, "pull", "org/tiny"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(hub / "snapshots" / COMMIT)
    assert "(100 %)" in done.stderr
    there = subprocess.run(["java", "-jar", NODE, "inspect", "org/tiny"], capture_output=True, text=True, timeout=120)
    assert "org/tiny" in there.stdout, there.stderr


def test_an_unknown_model_is_one_sentence(hub):
    done = subprocess.run(["java", "-jar", NODE, "pull", "org/other"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("espalier-node: there is no org/other at " + os.environ["HF_ENDPOINT"])
    assert done.stderr.count("\n") == 1


def test_the_magic_fetches_loads_and_generates(hub):
    with notebook.running() as book:
        offline = book.run("%model load --offline org/tiny")
        assert offline.status == "error" and "fetching is switched off" in offline.error
        shown = book.ok("%model load org/tiny")
        assert "fetched org/tiny to" in str(shown.displays) + str(shown.text)
        book.ok("%generate --max-tokens 5 hello")
        again = book.ok("%model load org/tiny")
        assert "fetched" not in str(again.displays) + str(again.text)


def test_a_cell_that_waits_for_a_silent_hub_can_be_interrupted(hub, monkeypatch):
    silent, asked = threading.Event(), threading.Event()

    def answer(self, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        asked.set()
        silent.wait(60)

    monkeypatch.setattr(Hub, "answer", answer)
    try:
        with notebook.running() as book:
            book.ok("1")
            threading.Thread(target=lambda: asked.wait(60) and book.manager.interrupt_kernel(), daemon=True).start()
            cell = book.run("%model load org/tiny", timeout=30)
            assert cell.status == "error" and "interrupted" in cell.error
            assert book.ok("1 + 1").result == "2"
    finally:
        silent.set()


def test_the_java_call_fetches_too(hub):
    with notebook.running() as book:
        book.ok('var own = LocalCluster.start(2);\nvar there = own.load("org/tiny", LoadOptions.defaults());')
        assert book.ok("there.model()").result == "org/tiny"
        assert book.ok("own.nodes().get(1).shards().get(0).model().revision()").result == COMMIT
        book.ok("own.close()")
