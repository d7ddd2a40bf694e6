"""%cluster connect: over TLS with certificates, on loopback with a secret; what is remembered, and what is not."""

import json
import subprocess

import notebook
import pytest
from place import ROOT

NODE = str(ROOT / "espalier-node")
SECRET = "a-secret-of-a-test-0001"


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def book(home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", f"-Duser.home={home}")
        with notebook.running() as book:
            yield book


@pytest.fixture(scope="module")
def certificates(home):
    cluster = home / ".espalier" / "cluster"
    for more in ([], ["--add", "mini-1"]):
        subprocess.run([NODE, "init", "--out", str(cluster), *more], check=True, capture_output=True, timeout=120)
    return cluster


@pytest.fixture(scope="module")
def serve():
    nodes = {}

    def start(*options):
        node = subprocess.Popen([NODE, "serve", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        address = node.stdout.readline().removeprefix("listening on ").strip()
        nodes[address] = node
        return address

    def stop(address):
        nodes[address].kill()
        nodes[address].wait()

    start.stop = stop
    yield start
    for address in nodes:
        stop(address)


def test_a_secret_is_asked_for_and_only_its_path_remembered(book, home, serve):
    secret = private(home / "secret", SECRET + "\n")
    address = serve("--port", "0", "--name", "quiet", "--secret-file", str(secret))
    refused = book.run(f"%cluster connect {address}")
    assert refused.status == "error"
    assert "node quiet refused the call: it has not shown the node's secret" in refused.error
    wrong = private(home / "wrong", "another-secret-0002\n")
    assert "its secret is not the node's" in book.run(f"%cluster connect {address} --secret-file {wrong}").error
    book.ok(f"%cluster connect {address} --secret-file {secret}")
    text = (home / ".espalier" / "cluster.json").read_text()
    assert json.loads(text) == {"nodes": [{"name": "quiet", "address": address}], "secretFile": str(secret)}
    assert SECRET not in text
    assert SECRET not in book.ok("%cluster").displays[-1]["text/plain"]
    secret.chmod(0o644)
    assert "other users of this machine may read the secret" in book.run(f"%cluster connect {address} --secret-file {secret}").error
    secret.chmod(0o600)


def test_why_a_node_that_is_back_cannot_be_used_is_shown(book, home, serve):
    secret = private(home / "first", "the-first-secret-0004\n")
    address = serve("--port", "0", "--name", "back", "--secret-file", str(secret))
    book.ok(f"%cluster connect {address} --secret-file {secret}")
    serve.stop(address)
    assert "does not answer" in book.ok("%cluster").displays[0]["text/plain"]
    other = private(home / "second", "the-second-secret-0004\n")
    assert serve("--port", address.split(":")[1], "--name", "back", "--secret-file", str(other)) == address
    why = "cannot be used: node back refused the call: its secret is not the node's"
    table, topology = (display["text/plain"] for display in book.ok("%cluster").displays)
    assert why in table and why in topology
    refused = book.run("%model load demo")
    assert refused.status == "error" and f"no node of the cluster answers: back {why}" in refused.error


def test_nodes_over_tls_are_remembered_by_name(book, home, certificates, serve):
    address = serve("--listen", "127.0.0.1:0", "--certificates", str(certificates / "mini-1"))
    assert address.startswith("tls://127.0.0.1:")
    assert "mini-1" in book.ok(f"%cluster connect {address}").displays[-1]["text/plain"]  # the default folder of certificates
    book.ok("%cluster disconnect")
    shown = book.ok("%cluster nodes").text
    assert "remembered, not connected" in shown and f"mini-1  {address}" in shown
    assert address in book.ok("%cluster connect").displays[-1]["text/plain"]
    remembered = home / ".espalier" / "cluster.json"
    remembered.write_text(remembered.read_text().replace("mini-1", "mini-9"))
    other = book.run("%cluster connect")
    assert "its certificate is for node mini-1, expected was node mini-9" in other.error or "does not fit" in other.error
    remembered.write_text('{"nodes": [{"name": "a", "address": "unix:/tmp/socket"}]}')
    damaged = book.run("%cluster connect")
    assert "cannot read the remembered nodes in" in damaged.error and "'unix:/tmp/socket' is not an address" in damaged.error
    remembered.write_text("{")
    assert "cannot read the remembered nodes in" in book.run("%cluster connect").error
    assert "forgotten" in book.ok("%cluster forget").text
    assert "no nodes were remembered" in book.ok("%cluster forget").text
    assert "no nodes are remembered: name them" in book.run("%cluster connect").error
    assert "mini-1" in book.ok("%cluster").displays[-1]["text/plain"]  # all that failed has changed nothing


def test_the_mode_of_an_address_must_fit(book, serve, certificates):
    tls = serve("--listen", "127.0.0.1:0", "--certificates", str(certificates / "mini-1")).removeprefix("tls://")
    assert f"write tls://{tls}" in book.run(f"%cluster connect {tls}").error
    plain = serve("--port", "0", "--name", "open")
    assert "it speaks plain text, expected TLS" in book.run(f"%cluster connect tls://{plain}").error
    assert "plain text is for loopback only" in book.run("%cluster connect plain://192.0.2.1:5").error


def test_two_notebooks_share_nodes(book, home, serve, monkeypatch):
    secret = private(home / "shared", "a-secret-of-two-notebooks-0003\n")
    addresses = " ".join(serve("--port", "0", "--name", f"shared-{i}", "--secret-file", str(secret)) for i in (1, 2))
    connect = f"%cluster connect {addresses} --secret-file {secret}"
    book.ok(f"{connect}\n%model load demo")
    monkeypatch.setenv("JDK_JAVA_OPTIONS", f"-Duser.home={home}")
    with notebook.running() as other:
        other.ok(connect)
        assert "no model is loaded" in other.ok("%model").text
        assert "also there: demo: 8 layers on 2 nodes" in other.ok("%model").text
        taken = other.run("%model load demo")
        assert "use it as it is with `%model use NAME`, load under another name with `%model load --name OTHER`, or add `--force`" in taken.error
        assert "demo: 8 layers on 2 nodes" in other.ok("%model use demo").text
        mine = book.ok("%generate --raw --max-tokens 3 hello").text
        assert other.ok("%generate --raw --max-tokens 3 hello").text == mine
        assert "demo2: 8 layers on 2 nodes" in other.ok("%model load demo --name demo2").displays[-2]["text/plain"]
        assert book.ok("%generate --raw --max-tokens 3 hello").text == mine
        refused = book.run("%model unload demo2")
        assert refused.status == "error" and "is used by another client" in refused.error
        book.ok("%model unload demo2 --force")
        assert "demo2" not in book.ok("%model").text
        assert "it is no longer on the nodes" in other.ok("%model").text
        other.ok("%model load")
    unknown = book.run("%model use demo3")
    assert "no node has a deployment 'demo3'" in unknown.error
