"""Magics between and inside Java: each runs where it stands, each time."""

import threading

import pytest

HELP = "%help NAME\n"
MAGICS = "Usage: %magics\nLists the magics.\n\n"


def test_a_magic_in_a_loop_runs_each_time(shared):
    cell = shared.ok("for (int i = 0; i < 3; i++) {\n    System.out.print(i);\n    %magics\n}\nint afterLoop = 7;")
    assert cell.text == "012" and len(cell.displays) == 3
    assert shared.ok("afterLoop").result == "7"


def test_a_magic_in_a_method_runs_when_the_method_does(shared):
    assert not shared.ok("void magicsTwice(String of) {\n  if (of != null) {\n    %help {of}\n  }\n\t%help help\n}").text
    assert shared.ok('magicsTwice("magics");').text == MAGICS + HELP
    refused = shared.run('magicsTwice("magic");')
    assert "there is no magic %magic: did you mean %magics?" in refused.error


def test_locals_and_fields_stand_in_a_magic_inside_java(shared):
    shared.ok('String magicsTop = "magics";')
    code = 'for (var local : List.of("help", "magics")) {\n  Runnable r = () -> {\n    %help {local}\n    %help {magicsTop}\n  };\n  r.run();\n}'
    assert shared.ok(code).text == HELP + 3 * MAGICS
    refused = shared.run("for (int i = 0; i < 1; i++) {\n\n  %help {nowhere}\n}")
    assert refused.status == "error" and "variable nowhere" in refused.traceback
    assert '%help {nowhere}' in refused.traceback


def test_magics_stand_indented_and_under_comments(shared):
    assert shared.ok("// why\n\n   %help help").text == HELP
    assert shared.ok("/* a\n%help magics\n*/\n  %help help").text == HELP
    refused = shared.run("\n// why\n/* and how */\n%%generate --raw\n")
    assert "there is no prompt" in refused.error
    refused = shared.run("int before = 1;\n%%generate\nhello")
    assert refused.error == "%%generate in line 2 takes all lines of its cell: only comments may stand above it"


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("int magicsHelp = 7, help = 4;\nmagicsHelp\n%help", "3"),
        ('String block = """\n  %help help\n  ";\n""";\nblock.strip().length()', "15"),
        ('/*\n%help help\n*/ 1', "1"),
        ("int r = 9 // nine\n  % 4;\nr", "1"),
        ("int help2 = 2;\nint q = switch (help2) { default -> { yield 9; }\n}\n%help2;\nq", "1"),
        ("boolean up = false;\n!up", "true"),
        ("boolean up2 = false;\n!up2 ||\n up2", "true"),
    ],
)
def test_java_stays_java(shared, code, result):
    cell = shared.ok(code)
    assert cell.result == result and cell.text == ""


def test_an_unknown_name_is_a_slip_not_java(shared):
    assert "there is no magic %hlp: did you mean %help?" in shared.run("int a1 = 1;\n  %hlp").error
    assert "there is no magic %hlp: did you mean %help?" in shared.run("if (true) {\n  %hlp\n}").error


def test_lines_of_errors_are_the_cells(shared):
    cell = shared.run("// one\n%help help\nfor (;;) {\n  %help help\n  break;\n}\nint wrong = undefinedName;")
    assert cell.status == "error" and "undefinedName" in cell.traceback


def test_an_interrupt_ends_java_and_the_magic_in_it(shared):
    started = threading.Event()

    def interrupt(message):
        if message["msg_type"] == "stream" and not started.is_set():
            started.set()
            shared.manager.interrupt_kernel()

    cell = shared.run("while (true) {\n  %help help\n}", timeout=60, hook=interrupt)
    assert cell.error == "the cell was interrupted"
    assert shared.ok("1 + 1").result == "2"
