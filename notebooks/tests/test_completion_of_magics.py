"""What Tab and Shift-Tab say of magics."""

import pytest


@pytest.fixture
def here(shared, tmp_path):
    """A folder with two files and a folder, as the start of a path."""
    (tmp_path / "plan.json").write_text("{}")
    (tmp_path / "a part.jshell").write_text("")
    (tmp_path / "places").mkdir()
    return f"{tmp_path}/"


def matches(book, code, cursor=None):
    content = book.client.complete(code, cursor_pos=len(code) if cursor is None else cursor, reply=True, timeout=60)["content"]
    return content["matches"], code[content["cursor_start"] : content["cursor_end"]]


@pytest.mark.parametrize(
    ("code", "expected", "typed"),
    [
        ("%model ", {"load", "split", "use", "unload"}, ""),
        ("%model l", {"load"}, "l"),
        ("%cluster ", {"local", "connect", "disconnect"}, ""),
        ("%model load de", {"demo"}, "de"),
        ("%time %generate --max", {"--max-tokens"}, "--max"),
        ("%%time\nfor (;;) {\n  %gen", {"%generate"}, "%gen"),
        ("%model load demo --precision ", {"float32", "fast"}, ""),
        ("%model load demo --precision=fl", {"--precision=float32"}, "--precision=fl"),
        ("%model load demo --pl", {"--placement", "--plan"}, "--pl"),
        ("%model split --placement p", {"pipeline"}, "p"),
        ("%maven --off", {"--offline"}, "--off"),
        ("%help gen", {"generate"}, "gen"),
        ("%help ", {"generate", "model", "time", "vars"}, ""),
        ("  %gen", {"%generate"}, "%gen"),
        ("for (;;) {\n  %", {"%generate", "%model", "%help"}, "%"),
        ("for (;;) {\n  if (true) {}\n  %mod", {"%model"}, "%mod"),
        ("// why\n%%wri", {"%%writefile"}, "%%wri"),
        ("%generate --max", {"--max-tokens"}, "--max"),
        ("%time System.out.prin", {"println("}, "prin"),
        ("%%time\nint a = 1;\nSystem.out.prin", {"println("}, "prin"),
        ("%help help\nSystem.out.prin", {"println("}, "prin"),
        ("for (;;) {\n%generate it's\nSystem.out.prin", {"println("}, "prin"),
    ],
)
def test_what_may_come_next_is_offered(shared, code, expected, typed):
    found, replaced = matches(shared, code)
    assert expected <= set(found) and replaced == typed


@pytest.mark.parametrize(
    "code",
    ["%generate What is --max", "%%generate\nSystem.out.prin", "%vars x", "%nothing ", '%load "', "%model lode ", "%generate -- --max"],
)
def test_text_and_unknown_words_get_no_offers(shared, code):
    assert matches(shared, code)[0] == []


def test_files_are_offered(shared, here):
    assert matches(shared, f"%load {here}")[0] == [f"{here}a\\ part.jshell", f"{here}places/", f"{here}plan.json"]
    assert matches(shared, f"%jars {here}pla")[0] == [f"{here}places/", f"{here}plan.json"]
    assert matches(shared, f"%model split --placement {here}")[0] == [f"{here}places/", f"{here}plan.json"]
    assert matches(shared, f"!cat {here}pla") == ([f"{here}places/", f"{here}plan.json"], f"{here}pla")
    assert shared.ok(f"%load {here}a\\ part.jshell").text == ""


def test_a_percent_in_java_is_no_magic(shared):
    found, _ = matches(shared, "int completed = 9\n  % Integer.MAX_V")
    assert found == ["MAX_VALUE"]


def test_deployments_and_nodes_are_offered(shared):
    shared.ok("%model load demo --name completionDemo")
    try:
        assert matches(shared, "%model unload compl")[0] == ["completionDemo"]
        assert matches(shared, "%model use ")[0] == ["completionDemo"]
        shared.ok("%cluster")
        address = shared.ok("cluster.nodes().get(0).address()").result
        assert address in matches(shared, "%cluster connect ")[0]
        assert "reference" in matches(shared, "%model load demo --engine ")[0]
    finally:
        shared.ok("%cluster disconnect")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("for (;;) {\n    %model load demo\n}", "%model load"),
        ("  %generate hi", "--max-tokens"),
        ("%help help\nSystem.out.println(", "println"),
    ],
)
def test_documentation_is_shown_wherever_a_magic_stands(shared, code, says):
    cursor = code.index("%") + 3 if "println" not in code else len(code)
    content = shared.client.inspect(code, cursor_pos=cursor, reply=True, timeout=60)["content"]
    assert content["found"] and says in content["data"]["text/plain"]


def test_completion_starts_no_node(shared):
    shared.ok("%cluster disconnect")
    assert matches(shared, "%cluster connect ")[0] == ["--certificates", "--secret-file"]
    assert matches(shared, "%model use ")[0] == []
    assert shared.ok("%cluster").text.startswith("no cluster yet")
