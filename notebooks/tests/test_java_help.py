"""Completion and Shift-Tab in Java."""


def answer(book, message_id):
    while True:
        reply = book.client.get_shell_msg(timeout=60)
        if reply["parent_header"].get("msg_id") == message_id:
            return reply["content"]


def matches(book, code):
    return answer(book, book.client.complete(code))["matches"]


def shown(book, code, detail=0):
    return answer(book, book.client.inspect(code, detail_level=detail))["data"].get("text/plain", "")


def test_values_that_fit_the_argument_come_first(shared):
    shared.ok("Cluster cluster41 = null; Prompt prompt41 = null; GenerateOptions options41 = null; int number41 = 1;")
    found = matches(shared, "cluster41.generate(prompt41, ")
    assert found.index("options41") < found.index("GenerateOptions") < found.index("AbstractList")
    assert len(found) > 100 and len(found) == len(set(found))
    found = matches(shared, "cluster41.generate(")
    assert found.index("prompt41") < found.index("Prompt") < found.index("AbstractList")


def test_members_of_an_expected_type_come_first(shared):
    shared.ok('String zebra42 = "z"; Object apple42 = null;')
    found = matches(shared, "Integer.parseInt(")
    assert found.index("zebra42") < found.index("apple42")
    found = matches(shared, "int length42 = zebra42.")
    assert found.index("length()") < found.index("concat(")


def test_shift_tab_shows_what_espaliers_own_api_says(shared):
    text = shown(shared, "Cluster.of")
    assert "HOST:PORT" in text and "@param addresses" in text
    assert "{@" not in text
    assert "Greedy, 256 tokens" in shown(shared, "GenerateOptions.defaults")
    assert "What a generation continues." in shown(shared, "Prompt")
    assert "How a generation intervenes in one layer's choice of experts" in shown(shared, "LayerEdit")
    assert "fewer if the model's context ends before" in shown(shared, "GenerateOptions.defaults().maxTokens")
    assert "Node processes on loopback" in shown(shared, "LocalCluster.start")
    assert "A table's numbers by two of its columns" in shown(shared, "Heatmap.of")


def test_a_second_question_mark_shows_the_source(shared):
    assert "return new GenerateOptions(count, sampling, stop, requests, edits);" in shown(shared, "GenerateOptions.defaults().withMaxTokens", 1)
    assert "return new GenerateOptions(" not in shown(shared, "GenerateOptions.defaults().withMaxTokens", 0)


def test_javadoc_of_the_jdk_is_plain_text_where_its_sources_are(shared):
    text = shown(shared, '"a".indent')
    assert "String String.indent(int n)" in text
    assert "{@code" not in text and "<p>" not in text


def test_signatures_hold_no_names_of_jshell(shared):
    shared.ok("static class Own43 { Own43 self(Own43 other) { return other; } }")
    assert shown(shared, "new Own43().self") == "Own43 Own43.self(Own43 other)"
