"""What cells show by themselves: display(x) and its handles, HTML and its like, values, progress."""

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
