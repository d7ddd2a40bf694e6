"""What %experts and cluster.trace() belong to, layer numbers, and how a generation ends."""

import json
import os
import re
import signal
import time

import pytest

GERMAN = "Wenn Sie die Datei"


@pytest.fixture(scope="module")
def book(shared):
    yield shared
    shared.run("%model unload --force")
    shared.run("%cluster disconnect")


@pytest.fixture
def demo(book):
    if book.ok('cluster.deployment().filter(loaded -> loaded.id().equals("demo")).isPresent()').result != "true":
        book.ok("%model load demo")
    return book


@pytest.fixture
def once(book, request):
    """For what does not depend on the JDK and takes its time."""
    if "newest" in request.node.name:
        pytest.skip("runs with the kernel's Java")
    return book


def title(book):
    return book.ok("%experts").displays[-1]["text/plain"].splitlines()[0]


def test_a_trace_names_model_prompt_and_positions(demo):
    demo.ok(f"%generate --raw --max-tokens 3 {GERMAN}")
    positions = int(demo.ok("cluster.trace().get().positions()").result)
    assert title(demo) == f'demo, "{GERMAN}", positions 0 to {positions - 1}'
    assert demo.ok("cluster.trace().get()").result.splitlines()[0] == title(demo)


@pytest.mark.parametrize(
    "later",
    [
        'cluster.generate(Prompt.text("x"), GenerateOptions.defaults().withMaxTokens(1))',
        "%generate --max-tokens 2 " + "word " * 1100,  # does not fit into the context
        'var cutShort = cluster.start(Prompt.text("x"), GenerateOptions.defaults().withRouting(), GenerationListener.SILENT); cutShort.cancel(); cutShort.await()',
        "%model load demo",
    ],
    ids=["untraced", "failed", "cancelled", "loaded"],
)
def test_an_older_trace_is_never_shown(demo, later):
    demo.ok(f"%generate --raw --max-tokens 3 {GERMAN}")
    demo.run(later)
    assert demo.ok("cluster.trace().isPresent()").result == "false"
    cell = demo.run("%experts")
    assert cell.status == "error" and not cell.displays
    assert "routing" in cell.error and "%generate" in cell.error


def test_a_dense_model_has_no_experts(demo):
    demo.ok(f"%generate --raw --max-tokens 3 {GERMAN}")
    demo.ok("%model load smollm2")
    assert demo.ok("%generate --max-tokens 2 Hello").text.strip()
    cell = demo.run("%experts")
    assert cell.status == "error" and not cell.displays
    assert cell.error.startswith("SmolLM2-135M-Instruct.Q4_1 has no experts: it is a dense model.")


def test_layers_are_the_checkpoints_everywhere(demo):
    demo.ok(f"%generate --raw --max-tokens 3 {GERMAN}")
    demo.ok("var layersTrace = cluster.trace().get(); var layersLoad = layersTrace.load(); var layersTable = layersTrace.table();")
    demo.ok('var layersFive = layersTable.where(layersTable.intColumn("layer").isEqualTo(5).and(layersTable.intColumn("position").isEqualTo(2)));')
    chosen = demo.ok("IntStream.range(0, 4).mapToObj(k -> layersTrace.expert(2, 5, k)).toList().toString()").result
    assert chosen == demo.ok('layersFive.intColumn("expert").asList().toString()').result
    counts = demo.ok("Arrays.toString(layersLoad.counts(5))").result
    table = "RoutingTables.load(layersLoad)"
    assert counts == demo.ok(f'{table}.where({table}.intColumn("layer").isEqualTo(5)).intColumn("count").asList().toString()').result
    for ask in ["layersTrace.expert(0, 0, 0)", "layersTrace.weight(0, 0, 0)"] + [
        f"layersLoad.{what}" for what in ("share(0, 19)", "entropy(0)", "idle(0)", "imbalance(0)", "counts(0)")
    ]:
        cell = demo.run(ask)
        assert cell.status == "error" and "layer 0 has no experts: those with experts are 1 to 7" in cell.error


def test_tables_have_the_tokens_text(demo):
    demo.ok(f"%generate --raw --max-tokens 3 {GERMAN}")
    demo.ok("var textsTable = cluster.trace().get().table();")
    assert demo.ok("textsTable.columnNames()").result == "[position, token, layer, place, expert, weight]"
    texts = 'String.join("", textsTable.where(textsTable.intColumn("layer").isEqualTo(1).and(textsTable.intColumn("place").isEqualTo(0))).stringColumn("token").asList())'
    assert GERMAN in demo.ok(texts).result


def test_reaching_the_context_is_named(once, demo):
    demo.ok('var nearlyFull = IntStream.range(0, 1020).map(i -> 30 + i % 7).toArray();')
    demo.ok("var full = cluster.generate(Prompt.tokens(nearlyFull), GenerateOptions.defaults().ignoringEos());")
    assert demo.ok("full.finish() + \" \" + full.tokens().size()").result == "CONTEXT 4"


def test_no_token_is_not_the_token_limit(demo):
    note = demo.ok("%generate --raw --max-tokens 0 hello").displays[-1]["text/plain"]
    assert note == f"{demo.ok('cluster.lastGeneration().get().promptTokens().size()').result} prompt tokens read, no new one asked for"
    note = demo.ok("%generate --raw --ignore-eos --max-tokens 2 hello").displays[-1]["text/plain"]
    assert note.endswith(", ended by the token limit")


def pids(book):
    """The notebook's local nodes, in order of their start."""
    return sorted(json.loads(book.ok("ProcessHandle.current().children().map(ProcessHandle::pid).toList()").result))


def test_cluster_is_there_from_the_start(book):
    book.ok("%cluster disconnect")
    assert book.ok("cluster.nodes().size()").result == "0"
    assert book.ok("cluster.toString()").result == "cluster: no nodes yet; no model is loaded"
    assert "no model in use" in book.ok("cluster").result
    book.ok('var startDeployment = cluster.load("demo");')
    assert book.ok("cluster.toString()").result == "cluster: embedded; demo is loaded"
    assert re.match("demo, layers 0 to 7 on embedded, engine (cpu, fast|reference, float32)", book.ok("startDeployment.toString()").result)
    book.ok('var startAnswer = cluster.generate("Wenn Sie", GenerateOptions.defaults().withMaxTokens(3));')
    text = book.ok("startAnswer.text()").result
    assert book.ok('cluster.generate("Wenn Sie", GenerateOptions.defaults().withMaxTokens(3), System.out::print);').text == text
    assert book.ok("startAnswer.toString()").result == f'demo, "Wenn Sie": "{text.strip()}" (3 tokens, ended by the token limit)'
    pieces = book.ok('var startPieces = new ArrayList<String>(); cluster.generate("Wenn Sie", GenerateOptions.defaults().withMaxTokens(3).withRouting(), token -> startPieces.add(token)); String.join("", startPieces)')
    assert pieces.result == text
    assert title(book).startswith('demo, "Wenn Sie", positions 0 to ')


def test_edits_are_varargs_and_prompts_token_arrays(demo):
    demo.ok('int[] editsIds = cluster.model().get().tokenizer().get().encode("Wenn Sie");')
    demo.ok("var editsAnswer = cluster.generate(Prompt.tokens(editsIds), GenerateOptions.defaults().withMaxTokens(2).withRouting().withEdits(LayerEdit.of(5).banning(1), LayerEdit.of(6).banning(2)));")
    assert demo.ok("editsAnswer.trace().get().load().count(5, 1) + editsAnswer.trace().get().load().count(6, 2)").result == "0"
    assert demo.ok("cluster.model().get().tokenizer().get().decode(editsIds)").result == "Wenn Sie"


@pytest.mark.parametrize("close", ["cluster.close();", "try (var closing = cluster) { closing.nodes(); }"], ids=["close", "try"])
def test_a_closed_cluster_loads_again(demo, close):
    demo.ok(close)
    demo.ok("%model load demo")
    assert demo.ok("%generate --raw --max-tokens 2 hello").text.strip()
    demo.ok(close)
    demo.ok('cluster.load("demo");')


def test_an_interrupt_of_the_cell_that_started_the_nodes_leaves_them(book):
    book.ok("%cluster disconnect")
    interrupted = []

    def interrupt(message):
        if message["msg_type"] == "stream" and not interrupted:
            interrupted.append(book.manager.interrupt_kernel())

    cell = book.run('cluster.load("demo"); System.out.println("loaded"); while (true) {}', hook=interrupt)
    assert cell.status == "error" and "interrupted" in cell.error
    assert book.ok("%generate --raw --max-tokens 2 hello").text.strip()


@pytest.mark.parametrize(
    ("load", "says"),
    [
        ("%model load demo --engine steam", "node embedded has no engine 'steam'"),
        ("%model load /work-of-nobody", "/work-of-nobody"),
    ],
)
def test_a_failed_load_keeps_the_model(demo, load, says):
    before = demo.ok("%generate --raw --max-tokens 3 hello").text
    cell = demo.run(load)
    assert cell.status == "error" and says in cell.error
    assert demo.ok("%generate --raw --max-tokens 3 hello").text == before


def test_what_is_printed_after_a_lost_node_works(once):
    book = once
    book.ok("%cluster local --nodes 2\n%model load demo")
    lost = pids(book)[-1]
    os.kill(lost, signal.SIGKILL)
    gone = time.monotonic() + 20
    while "does not answer" not in book.ok("cluster.nodes().get(1)").result:
        assert time.monotonic() < gone
    refused = book.run("%generate --raw --max-tokens 2 hello")
    assert refused.status == "error" and "local-2" in refused.error
    assert "otherwise `%model load` places the model again" in refused.error
    shown = book.ok("%model").text
    assert "it does not serve: node local-2 does not answer; `%model load` places it again" in shown
    again = book.ok("%model load")
    assert "left out: node local-2 does not answer" in again.text
    assert "demo: 8 layers on 1 node" in again.displays[-1]["text/plain"]
    assert book.ok("%generate --raw --max-tokens 2 hello").text.strip()
    assert "does not serve" not in book.ok("%model").text
    book.ok("%cluster local --nodes 2\n%model load")
    assert "8 layers on 2 nodes" in book.ok("%model").text
