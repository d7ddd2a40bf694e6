"""A notebook that runs with nobody watching: nbclient, and so papermill and nbconvert, say so by allow_stdin=False."""

import time

import nbformat
import pytest
from nbclient import NotebookClient
from place import ROOT

MODEL = ROOT / "models" / "src" / "test" / "resources" / "models" / "llama-tiny" / "hf"

TOKENS = """for (int i = 0; i < 30; i++) {
    System.out.print("token" + i + " ");
    Thread.sleep(10); // longer in all than text waits where somebody watches
}"""

BOTH = """System.out.print("a");
System.out.print("b");
System.err.print("c");
System.out.print("d");
display("e");
System.out.print("f");
"g\""""


@pytest.fixture(scope="module")
def outputs():
    """What a notebook holds after nbclient ran it: the outputs of each cell."""
    codes = [TOKENS, BOTH, f"%model load {MODEL}", "%generate --raw --ignore-eos --max-tokens 25 Hello", "%model unload"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in codes])
    NotebookClient(notebook, kernel_name="espalier", timeout=120).execute()
    return [cell.outputs for cell in notebook.cells]


def test_a_loop_that_prints_tokens_is_one_output(outputs):
    assert [(o.output_type, o.name) for o in outputs[0]] == [("stream", "stdout")]
    assert outputs[0][0].text == "".join(f"token{i} " for i in range(30))


def test_a_generation_is_one_text(outputs):
    texts = [o.text for o in outputs[3] if o.output_type == "stream"]
    assert len(texts) == 1 and texts[0].endswith("\n") and len(texts[0]) > 25
    assert outputs[3][-1].data["text/plain"].startswith("25 tokens, ")


def test_text_goes_out_before_anything_else_is_shown(outputs):
    shown = [(o.output_type, o.get("name") or "", o.get("text") or o.data["text/plain"]) for o in outputs[1]]
    assert shown == [
        ("stream", "stdout", "ab"),
        ("stream", "stderr", "c"),
        ("stream", "stdout", "d"),
        ("display_data", "", "e"),
        ("stream", "stdout", "f"),
        ("execute_result", "", "g"),
    ]


def unwatched(book, code):
    """The texts of a cell whose client cannot be asked."""
    messages = []
    reply = book.client.execute_interactive(code, allow_stdin=False, timeout=60, output_hook=messages.append)
    return reply, [m["content"]["text"] for m in messages if m["msg_type"] == "stream"]


def test_text_that_nobody_watches_goes_out_at_a_megabyte(shared):
    _, texts = unwatched(shared, 'System.out.print("é".repeat(1_250_000));')
    assert [len(text) for text in texts] == [500_000, 500_000, 250_000]
    assert set("".join(texts)) == {"é"}


def test_an_error_comes_after_the_text(shared):
    reply, texts = unwatched(shared, 'System.out.print("before"); throw new IllegalStateException("stop");')
    assert reply["content"]["status"] == "error" and texts == ["before"]


def test_a_thread_may_write_after_a_cell_that_nobody_watched(shared, tmp_path):
    go = tmp_path / "go"
    wait = f'while (!Files.exists(Path.of("{go}"))) {{ Thread.onSpinWait(); }}'
    cell = shared.client.execute(f'new Thread(() -> {{ {wait} System.out.print("late"); }}).start(); System.out.print("first");', allow_stdin=False)
    text, deadline = "", time.monotonic() + 60
    while text != "firstlate":
        message = shared.client.get_iopub_msg(timeout=deadline - time.monotonic())
        if message["parent_header"].get("msg_id") != cell:
            continue
        text += message["content"].get("text", "")
        if message["content"].get("execution_state") == "idle":
            assert text == "first"
            go.touch()
    assert shared.client.get_shell_msg(timeout=30)["content"]["status"] == "ok"


def test_clearing_takes_the_place_of_what_was_printed(shared):
    messages = []
    shared.client.execute_interactive(
        'System.out.print("old"); clearOutput(); System.out.print("new");', allow_stdin=False, timeout=60, output_hook=messages.append
    )
    kinds = [m["content"].get("text", m["msg_type"]) for m in messages if m["msg_type"] in ("stream", "clear_output")]
    assert kinds == ["old", "clear_output", "new"]
