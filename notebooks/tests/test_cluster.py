"""The magics on real nodes: reference answers on one and on three, a killed node, wrong words."""

import json
import re
import os
import signal

import notebook
import pytest
from place import ROOT

SMOLLM2 = ROOT / "notebooks" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
GOLDEN = ROOT.parent / "shared" / "golden" / "smollm2" / "golden.json"
GEMMA3 = ROOT / "notebooks" / "models" / "gemma-3-270m-q4_k_m.gguf"
GEMMA3_TOKENS = 8
GEMMA3_GOLDEN = ROOT.parent / "shared" / "golden" / "gemma3_270m" / "golden.json"


@pytest.fixture(scope="module")
def book():
    with notebook.running() as book:
        yield book


def generate(want):
    """The cell that asks what the reference was asked: by the chat template, or where that has more turns, as rendered text."""
    count = f"--ignore-eos --max-tokens {len(want['greedy_ids'])}"
    messages = {message["role"]: message["content"] for message in want["messages"]}
    if "assistant" in messages:
        return f"%%generate --raw {count}\n{want['prompt_text']}"
    system = f'--system "{messages["system"]}"' if "system" in messages else ""
    return f"%%generate {system} {count}\n{messages['user']}"


@pytest.mark.parametrize("start", ["", "%cluster local --nodes 3\n"], ids=["one node", "three nodes"])
def test_smollm2_equals_transformers(book, start):
    if not GOLDEN.exists():
        pytest.skip("../shared/golden is not beside the repository, or not whole")
    book.ok(f"{start}%model load {SMOLLM2} --precision float32")
    prompts = json.loads(GOLDEN.read_text())["prompts"]
    for want in prompts[:1] if start else prompts:  # that a ring equals one node bit for bit, Java's tests ask of every model
        book.ok(generate(want))
        assert json.loads(book.ok("cluster.lastGeneration().orElseThrow().promptTokens()").result) == want["prompt_ids"]
        assert json.loads(book.ok("cluster.lastGeneration().orElseThrow().tokens()").result) == want["greedy_ids"]


@pytest.mark.parametrize("prompt", range(3), ids=["text", "turn marks and emoji", "longer than its window"])
def test_gemma3_equals_transformers(book, prompt):
    """A base model: prompts as they are, in which turn marks are single tokens."""
    if not GEMMA3_GOLDEN.exists():
        pytest.skip("../shared/golden is not beside the repository, or not whole")
    if not GEMMA3.exists():
        pytest.skip("Gemma 3 270M is not here: run ./notebooks/lab --setup")
    if prompt == 2 and "ESPALIER_LONG_PROMPTS" not in os.environ:
        pytest.skip("536 tokens of Gemma 3 take a minute: ESPALIER_LONG_PROMPTS=1 asks for them")
    want = json.loads(GEMMA3_GOLDEN.read_text())["prompts"][prompt]
    if not prompt:
        book.ok(f"%model load {GEMMA3} --precision float32")
    book.ok(f"%%generate --raw --ignore-eos --max-tokens {GEMMA3_TOKENS}\n{want['prompt_text']}", timeout=600)
    assert json.loads(book.ok("cluster.lastGeneration().orElseThrow().promptTokens()").result) == want["prompt_ids"]
    assert json.loads(book.ok("cluster.lastGeneration().orElseThrow().tokens()").result) == want["greedy_ids"][:GEMMA3_TOKENS]


def test_a_killed_node_is_named_and_the_kernel_lives_on(book):
    book.ok("%cluster local --nodes 2\n%model load demo")
    pids = json.loads(book.ok("ProcessHandle.current().children().map(ProcessHandle::pid).toList()").result)
    killed = []

    def kill(message):
        if message["msg_type"] == "stream" and not killed:
            killed.append(True)
            os.kill(max(pids), signal.SIGKILL)  # started last: not the head

    cell = book.run("%generate --ignore-eos --max-tokens 2000 hello", hook=kill)
    assert killed
    assert cell.status == "error"
    assert "node local-2" in cell.error and "is lost" in cell.error
    assert "; run it again in some seconds: while its nodes stand the ring joins again by itself; otherwise `%model load`" in cell.error

    assert book.ok("1 + 1").result == "2"
    refused = book.run("%generate hello")
    assert refused.status == "error" and "local-2" in refused.error
    book.ok("%cluster local --nodes 2\n%model load demo")
    assert book.ok("%generate --max-tokens 5 hello").text.strip()


def test_experts_shows_what_ran(book):
    book.ok("%model load demo\n%generate --max-tokens 5 hello")
    display = book.ok("%experts").displays[-1]
    assert set(display) == {"text/plain", "image/svg+xml", "image/png", "application/pdf", "application/vnd.vegalite.v5+json"}
    cells = display["application/vnd.vegalite.v5+json"]["data"]["values"]
    assert len(cells) == 7 * 64  # MoE layers x experts
    decisions = 4 * int(book.ok("cluster.trace().orElseThrow().positions()").result)
    for layer in range(1, 8):  # layer 0 is dense
        counts = [decisions * cell["value"] for cell in cells if cell["row"] == str(layer)]
        assert sum(counts) == pytest.approx(decisions, rel=1e-3)
        assert counts == pytest.approx([round(count) for count in counts], abs=1e-2)


def test_split_moves_layers_and_keeps_the_answer(book, tmp_path):
    placement = tmp_path / "placement.json"
    book.ok(f"%cluster local --nodes 2\n%model load demo --out {placement}")
    before = book.ok("%generate --max-tokens 8 hello").text
    plan = json.loads(placement.read_text())
    plan["shards"][0]["endLayer"] = plan["shards"][1]["firstLayer"] = 3
    placement.write_text(json.dumps(plan))
    shown = book.ok(f"%model split --placement {placement}").displays[-1]["text/plain"]
    assert "0 to 2" in shown and "3 to 7" in shown
    assert book.ok("%generate --max-tokens 8 hello").text == before


def test_a_plan_shows_what_nodes_hold_that_share_layers(book, tmp_path):
    placement = tmp_path / "placement.json"
    book.ok(f"%cluster local --nodes 2\n%model load demo --out {placement}")
    plan = json.loads(placement.read_text())
    for shard, (first, end) in zip(plan["shards"], ((0, 3), (3, 4))):
        part = {"from": first, "to": end, "of": 4}
        shard.update(firstLayer=0, endLayer=8, shares={"heads": part, "width": part, "vocabulary": part})
    placement.write_text(json.dumps(plan))
    shown = book.ok(f"%model split --plan --placement {placement}").displays[-1]["text/plain"].splitlines()
    assert "parts 0 to 2 of 4" in shown[2] and "part 3 of 4" in shown[3]
    first, last = (float(re.search(r"([\d.]+) MB", line)[1]) for line in shown[2:4])
    assert last > first  # the experts are one group of 64 columns wide, which the last share has
    assert 17 < first + last < 20  # of 16.6 MB each byte once, and what belongs to no head and no width twice
    refused = book.run(f"%model split --placement {placement}")
    assert "nodes cannot exchange values within a layer yet" in refused.error
    assert book.ok("%generate --max-tokens 8 hello").text


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("%model load /nowhere/model", "/nowhere/model"),
        ("%model lode x", "%model has no 'lode'"),
        ("%generate --max-tokens many hello", "'many' is not an int"),
        ("%generate", "there is no prompt"),
        ("%cluster connect 127.0.0.1:1", "nothing answers at 127.0.0.1:1"),
        ("%cluster connect", "HOST:PORT"),
        ("%cluster local --nodes 0", "cannot start 0 local nodes"),
        ("%model split --placement nowhere.json", "there is no placement file nowhere.json; write the right one with `%model"),
        ("%model split --placement magic", "there is no placement strategy 'magic'"),
        ("%expert", "did you mean %experts"),
    ],
)
def test_a_mistake_is_one_clear_sentence(book, code, says):
    cell = book.run(code)
    assert cell.status == "error"
    assert says in cell.error
    assert "Exception" not in cell.error
    assert book.ok("1 + 1").result == "2"
