"""Errors name cells and lines, never what JShell calls things."""

import re


def count(cell):
    return next(m["content"]["execution_count"] for m in cell.messages if m["msg_type"] == "execute_input")


def plain(cell):
    return re.sub(r"\x1b\[[0-9;]*m", "", cell.traceback).splitlines()


def test_frames_name_the_cell_and_its_line(shared):
    made = shared.ok(
        "// a class of our own\n"
        "class Custom21 extends RuntimeException { Custom21(String message) { super(message); } }\n"
        "static int inner21(int a) {\n"
        '    if (a > 1) throw new Custom21("custom");\n'
        "    Object nothing = null;\n"
        "    return nothing.hashCode();\n"
        "}\n"
        "class Outer21 { static class In { int run() { return inner21(2); } } }"
    )
    failed = shared.run("int one21 = 1;\n\nnew Outer21.In().run()")
    assert plain(failed) == [
        "Custom21: custom",
        f"    at inner21 (Cell [{count(made)}], line 4)",
        f"    at Outer21.In.run (Cell [{count(made)}], line 8)",
        f"    at Cell [{count(failed)}], line 3",
    ]
    reply = next(m["content"] for m in failed.messages if m["msg_type"] == "error")
    assert (reply["ename"], reply["evalue"]) == ("Custom21", "custom")
    assert f"at inner21 (Cell [{count(made)}], line 6)" in shared.run("inner21(0)").traceback


def test_a_line_after_a_magic_is_the_cells(shared):
    failed = shared.run("%magics\nint a22 = 0;\nint b22 = 1 / a22;")
    assert f"at Cell [{count(failed)}], line 3" in failed.traceback
    failed = shared.run("%magics\n\nint a22 = missing22;")
    assert plain(failed)[0] == f"Cell [{count(failed)}], line 3: cannot find symbol"


def test_a_value_over_several_lines(shared):
    failed = shared.run('var list23 = new ArrayList<String>(\n    List.of("a",\n        "b".substring(7)));')
    assert f"at Cell [{count(failed)}], line 3" in failed.traceback
    assert f"at Cell [{count(failed)}], line 1" not in failed.traceback


def test_messages_hold_no_names_of_jshell(shared):
    shared.ok("String text24; static class Node24 { Node24 next; }\nstatic Node24 node24() { return null; }")
    for code in ("text24.length()", "node24().next", "((Node24) (Object) 5).next", "Object o24 = new Node24(); (Runnable) o24"):
        failed = shared.run(code)
        assert failed.status == "error"
        assert "JShell" not in failed.error + failed.traceback and "REPL" not in failed.error + failed.traceback
    assert 'because "text24" is null' in shared.run("text24.length()").error


def test_an_object_of_a_former_class_is_called_that(shared):
    shared.ok("class Former25 {} Object former25 = new Former25();")
    shared.ok("class Former25 { int now; }")
    assert (
        shared.run("((Former25) former25).now").error
        == "class Former25 cannot be cast to class Former25: the object was made before class Former25 was redefined"
    )


def test_an_endless_recursion_is_short(shared):
    failed = shared.run("int deep26(int a) { return deep26(a + 1); }\ndeep26(0)")
    assert plain(failed)[:2] == ["java.lang.StackOverflowError", f"    at deep26 (Cell [{count(failed)}], line 1)"]
    assert re.fullmatch(r"    \.\.\. the frame above 10\d\d times more", plain(failed)[2])
    failed = shared.run(
        "int even26(int a) {\n return odd26(a);\n}\nint odd26(int a) {\n return a % 3 == 0 ? even26(a + 1) :\n even26(a + 2);\n}\neven26(0)"
    )
    assert "StackOverflowError" in failed.traceback and len(plain(failed)) <= 30


def test_causes_and_suppressed_exceptions_are_shown(shared):
    failed = shared.run(
        'var e27 = new IllegalStateException("top", new Exception("cause"));\n'
        'e27.addSuppressed(new java.io.IOException("suppressed"));\n'
        "throw e27;"
    )
    place = f"at Cell [{count(failed)}], line"
    assert plain(failed) == [
        "java.lang.IllegalStateException: top",
        f"    {place} 1",
        "    Suppressed: java.io.IOException: suppressed",
        f"        {place} 2",
        "Caused by: java.lang.Exception: cause",
        f"    {place} 1",
    ]


def test_exceptions_that_cause_each_other_end(shared):
    failed = shared.run('var a28 = new Exception("a"); a28.initCause(new Exception("b", a28)); throw a28;')
    assert plain(failed)[-1] == "Caused by: java.lang.Exception (shown above)"


def test_a_lambda_names_its_line(shared):
    failed = shared.run('List.of(1).forEach(i -> {\n    throw new IllegalStateException("inside");\n});')
    assert plain(failed)[1] == f"    at Cell [{count(failed)}], line 2"
    assert plain(failed)[-1] == f"    at Cell [{count(failed)}], line 1"


def test_errors_of_the_cluster_are_a_sentence_and_the_cells_frames(shared):
    failed = shared.run('\nCluster.of(List.of("127.0.0.1:1"))')
    lines = plain(failed)
    assert "127.0.0.1:1" in lines[0]
    assert lines[1:] == [f"    at Cell [{count(failed)}], line 2"]


def test_a_compile_error_names_its_line_and_keeps_the_caret(shared):
    failed = shared.run("int a29 = 1;\n\tString b29 = a29;")
    assert plain(failed) == [
        f"Cell [{count(failed)}], line 2: incompatible types: int cannot be converted to String",
        "\tString b29 = a29;",
        "\t             ^^^",
    ]
    assert failed.error == "incompatible types: int cannot be converted to String"


def test_a_printed_trace_and_value_name_cells_too(shared):
    made = shared.ok("class Printed30 extends RuntimeException {}\nvoid throws30() {\n    throw new Printed30();\n}")
    ran = shared.ok("try {\n    throws30();\n} catch (Printed30 e) {\n    e.printStackTrace();\n    System.out.println(e);\n}")
    printed = "".join(text for name, text in ran.streams if name == "stderr")
    assert printed.startswith(f"Printed30\n\tat throws30 (Cell [{count(made)}], line 3)\n\tat Cell [{count(ran)}], line 2\n")
    assert ("stdout", "Printed30\n") in ran.streams
    assert "JShell" not in ran.text and "espalier" not in ran.text


def test_a_thread_that_prints_a_trace_does_not_wait_for_the_compiler(shared):
    shared.ok("class Thrown31 extends RuntimeException {}")
    for i in range(3):
        shared.ok(
            "new Thread(() -> { for (int i = 0; i < 50; i++) new Thrown31().printStackTrace(); throw new Thrown31(); }).start();\n"
            + "\n".join(f"int printed31{i}{j} = {j} + new Thrown31().hashCode();" for j in range(5)),
            timeout=60,
        )


def test_a_message_that_never_ends_can_be_interrupted_and_a_long_one_is_cut(shared):
    shared.ok('class ErrorsEndless extends RuntimeException { public String getMessage() { System.out.println("asked"); while (true) {} } }')
    assert shared.interrupted("throw new ErrorsEndless();").error == "the cell was interrupted"
    assert shared.ok("1 + 1").result == "2"
    long = shared.run('throw new IllegalStateException("x".repeat(50_000_000));')
    assert long.error == "x" * 20_000 + " ... (50000000 characters in all)"
    assert len(long.traceback) < 50_000


def test_a_value_that_cannot_be_shown_is_named_as_the_notebook_names_it(shared):
    failed = shared.run('class Shown30 { public String toString() { throw new IllegalStateException("no"); } }\nnew Shown30()')
    assert failed.error == "the value, of class Shown30, cannot be shown: java.lang.IllegalStateException: no"


def test_what_is_too_large_for_a_class_is_an_error_and_spoils_no_later_cell(shared):
    shared.ok('String large31 = "before";')
    text = '"' + "x" * 70_000 + '"'
    for code in (text, f"{text[:40_000]}\" + {text[:40_000]}\"", f"String much31 = {text};", f"void much31() {{ var text = {text}; }}", f"class Much31 {{ String text = {text}; }}"):
        assert shared.run(code).error == "constant string too long: a class holds texts of up to 65,535 bytes; read this one from a file"
        assert shared.ok("40 + 2").result == "42"
    statements = "int i = 0;" + "i = i * 31 + i / 7;" * 10_000
    assert "code too large" in shared.run(f"void long31() {{ {statements} }}").error
    assert shared.ok('int after31 = 5; large31 + after31').result == "before5"
