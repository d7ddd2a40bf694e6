"""What cells show by themselves: display(x) and its handles, HTML and its like, values, progress."""

import re
import time

import pytest


def shown(cell):
    """Displays and updates in their order: kind, display id, data."""
    return [
        (m["msg_type"], m["content"].get("transient", {}).get("display_id"), m["content"]["data"])
        for m in cell.messages
        if m["msg_type"] in ("display_data", "update_display_data")
    ]


def order(cell):
    """Streams and displays as a reader sees them, text by text; what is printed in one go may come in several messages."""
    seen = []
    for message in cell.messages:
        content = message["content"]
        if message["msg_type"] == "stream" and seen and seen[-1][0] == "stream":
            seen[-1] = ("stream", seen[-1][1] + content["text"])
        elif message["msg_type"] == "stream":
            seen.append(("stream", content["text"]))
        elif message["msg_type"] in ("display_data", "update_display_data", "execute_result"):
            seen.append((message["msg_type"], content["data"].get("text/plain")))
    return seen


def test_display_keeps_its_place_among_what_is_printed(shared):
    cell = shared.ok('for (int i = 0; i < 3; i++) { System.out.print("before " + i); display(i * i); }\nSystem.out.print("end");')
    assert order(cell) == [
        *(pair for i in range(3) for pair in (("stream", f"before {i}"), ("display_data", str(i * i)))),
        ("stream", "end"),
    ]


def test_display_works_in_methods_classes_and_lambdas(shared):
    shared.ok('class DisplayShower { void show() { display("of a class"); } }\nvoid displayShow() { display("of a method"); }')
    cell = shared.ok('new DisplayShower().show(); displayShow(); List.of("of a lambda").forEach(x -> display(x));')
    assert [data["text/plain"] for _, _, data in shown(cell)] == ["of a class", "of a method", "of a lambda"]


@pytest.mark.parametrize(
    "code, texts",
    [
        ("display(null);", ["null"]),
        ("display(new int[] {1, 2});", ["[1, 2]"]),
        ('display(new String[] {"a", "b"});', ["[a, b]"]),
        ('display(1, "two", null, List.of(3));', ["1", "two", "null", "[3]"]),
        ("display(Optional.of(5))", ["Optional[5]"]),
    ],
)
def test_display_of_anything_is_no_value_of_its_own(shared, code, texts):
    cell = shared.ok(code)
    assert [data["text/plain"] for _, _, data in shown(cell)] == texts
    assert cell.result is None


def test_a_thread_shows_things_after_its_cell(shared):
    client = shared.client
    cell = client.execute('var displayGate = new CountDownLatch(1);\nnew Thread(() -> { try { displayGate.await(); } catch (Exception e) {} display("late"); }).start();')
    client.get_shell_msg(timeout=30)
    opened = client.execute("displayGate.countDown();", store_history=False)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        message = client.get_iopub_msg(timeout=20)
        if message["msg_type"] == "display_data":
            assert message["content"]["data"]["text/plain"] == "late"
            assert message["parent_header"]["msg_id"] in (cell, opened)
            break
    else:
        raise AssertionError("the late display did not come")
    client.get_shell_msg(timeout=30)
    shared.ok("1")  # takes what is left of both


def test_a_handle_replaces_and_clears_what_it_showed_in_later_cells_too(shared):
    [(kind, identifier, data)] = shown(shared.ok('var displayHandle = display("x");'))
    assert (kind, data["text/plain"]) == ("display_data", "x") and identifier
    assert shown(shared.ok('displayHandle.update("y");')) == [("update_display_data", identifier, {"text/plain": "y"})]
    assert shown(shared.ok("displayHandle.clear();")) == [("update_display_data", identifier, {})]


def test_two_displays_of_one_value_have_ids_of_their_own(shared):
    first, second = shown(shared.ok('var displayHtml = Html.of("<b>&</b>"); display(displayHtml); display(displayHtml);'))
    assert first[1] != second[1] and first[2] == second[2]


@pytest.mark.parametrize(
    "code, mime, data",
    [
        ('Html.of("<b>x &amp; y</b>")', "text/html", "<b>x &amp; y</b>"),
        ('Markdown.of("**bold**")', "text/markdown", "**bold**"),
        ('Latex.of("x^2")', "text/latex", r"$\displaystyle x^2$"),
        ('Latex.of("so $x^2$")', "text/latex", "so $x^2$"),
        ("Svg.of(\"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>\")", "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
    ],
)
def test_markup_is_shown_by_display_and_as_a_value(shared, code, mime, data):
    assert shown(shared.ok(f"display({code});"))[0][2][mime] == data
    result = next(m["content"]["data"] for m in shared.ok(code).messages if m["msg_type"] == "execute_result")
    assert result[mime] == data and result["text/plain"]


def test_output_is_cleared_after_what_came_before(shared):
    cell = shared.ok('System.out.print("gone"); clearOutput(); System.out.print("stays");')
    assert [m["msg_type"] for m in cell.messages if m["msg_type"] in ("stream", "clear_output")] == ["stream", "clear_output", "stream"]


def test_an_exception_of_a_value_is_the_cells_own(shared):
    cell = shared.run('display(new Object() { public String toString() { throw new IllegalStateException("no text"); } });')
    assert cell.status == "error" and "no text" in cell.error


def test_a_notebook_may_use_a_name_that_is_imported(shared):
    assert shared.ok("class Bytes { int of = 3; }\nnew Bytes().of").result == "3"


VALUES = [
    ("Stream.of(1, 2)", "a Stream, not read yet: its toList() shows the elements, once"),
    ("IntStream.range(0, 5)", "a stream of numbers, not read yet: its toArray() shows them, once"),
    ("Optional.of(new int[] {1, 2})", "Optional[[1, 2]]"),
    ("Optional.empty()", "Optional.empty"),
    ("new Object() { public String toString() { return null; } }", "null"),
    ('Table.create("t", DoubleColumn.create("p", 1e-9, 12.5))', "t: 2 rows x 1 columns\n        p\n1.000e-09\n    12.50"),
    ("new java.awt.image.BufferedImage(4000, 3000, 1)", "an image of 4000 x 3000 pixels, shown with 2309 x 1732"),
]


@pytest.mark.parametrize("code, text", VALUES)
def test_values_can_be_read(shared, code, text):
    assert shared.ok(code).result == text


def test_a_stream_that_was_shown_can_still_be_read(shared):
    assert shared.ok("var displayStream = Stream.of(1, 2); display(displayStream); displayStream.toList()").result == "[1, 2]"


def test_an_optional_keeps_the_forms_of_what_it_holds(shared):
    [(_, _, data)] = shown(shared.ok('display(Optional.of(Html.of("<b>x</b>")));'))
    assert data == {"text/html": "<b>x</b>", "text/plain": "Optional[<b>x</b>]"}


def lines(cell):
    """What each state of a progress line says: its words, then its bar's percent or none."""
    states = [re.search(r'(?:value="(\d+)".*</progress> |<span[^>]*>)([^<]*)', data["text/html"]).group(2, 1) for _, _, data in shown(cell)]
    return [(words, percent and int(percent)) for words, percent in states]


def test_progress_is_one_line_that_ends_with_all_steps(shared):
    cell = shared.ok('try (var p = Progress.of(1_000_000, "adding")) { for (int i = 0; i < 1_000_000; i++) p.step(); }')
    kinds = [(kind, identifier) for kind, identifier, _ in shown(cell)]
    assert kinds[0][0] == "display_data" and {kind for kind, _ in kinds[1:]} == {"update_display_data"}
    assert len({identifier for _, identifier in kinds}) == 1
    assert len(kinds) <= 3 + 10 * cell.seconds  # at most ten states a second
    states = lines(cell)
    assert states[0] == ("adding 0 of 1,000,000", 0)
    assert re.fullmatch(r"adding 1,000,000 of 1,000,000, \d+\.\d s", states[-1][0])
    assert shown(cell)[0][2]["text/plain"] == "adding ..."


def test_progress_over_a_list_and_over_what_has_no_size(shared):
    cell = shared.ok("int progressSum = 0;\nfor (int i : Progress.over(List.of(1, 2, 3))) progressSum += i;\nprogressSum")
    assert cell.result == "6"
    assert re.fullmatch(r"3 of 3, \d+\.\d s", lines(cell)[-1][0])
    cell = shared.ok('Iterable<Integer> progressAny = () -> List.of(1, 2).iterator();\nfor (int i : Progress.over(progressAny, "any")) { }')
    assert lines(cell)[0] == ("any 0 steps", 0) and re.fullmatch(r"any 2 steps, \d+\.\d s", lines(cell)[-1][0])


def test_progress_of_a_loop_that_ends_early_says_so(shared):
    cell = shared.run('try (var p = Progress.of(5)) { p.step(2); throw new IllegalStateException("early"); }')
    assert cell.status == "error"
    assert re.fullmatch(r"2 of 5, ended after \d+\.\d s", lines(cell)[-1][0])


def test_progress_is_refused_a_negative_number_of_steps(shared):
    assert "there cannot be -1 steps" in shared.run("Progress.of(-1)").error


def test_a_cluster_its_nodes_and_an_answer_can_be_read(shared):
    try:
        shared.ok("%model load demo")
        nodes = shared.ok("cluster.nodes()").result
        heading, node = nodes.splitlines()
        columns = "node address device free memory of for models reads engines holds on disk"
        assert heading.split() == columns.split()
        assert "reference (plain Java on the processor)" in node and "demo: 8 layers" in node
        assert shown(shared.ok("display(cluster);"))[0][2]["text/plain"].splitlines()[-1] == "in use: demo"
        cell = shared.ok('var displayAnswer = cluster.generate(Prompt.text("Hallo"), GenerateOptions.defaults().withMaxTokens(3));\ndisplayAnswer')
        *answer, line = cell.result.splitlines()
        assert "\n".join(answer) == shared.ok("displayAnswer.text()").result
        assert re.fullmatch(r"\(3 tokens after \d+ of the prompt, [\d.]+ tokens/s, ended by LENGTH\)", line)
    finally:
        shared.run("%cluster disconnect")


def test_a_value_without_a_text_of_its_own_is_named_as_the_notebook_names_it(shared):
    shared.ok("class Named41 {}")
    assert re.fullmatch(r"Named41@[0-9a-f]+", shared.ok("new Named41()").result)
    assert re.fullmatch(r"\[Named41@[0-9a-f]+\]", shared.ok("new Named41[] {new Named41()}").result)
    assert re.fullmatch(r"Named41@[0-9a-f]+", shared.ok("display(new Named41());").displays[0]["text/plain"])
    assert shared.ok('"REPL.$JShell$1$Named41"').result == "REPL.$JShell$1$Named41"  # a text is shown as it is
