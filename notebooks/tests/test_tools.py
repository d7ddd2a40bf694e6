"""%time, %vars, %%writefile, %load and !command."""

import os
import re
import threading
import time

import psutil
import pytest


def note(cell):
    return cell.displays[-1]["text/plain"]


def test_time_says_what_running_took_and_what_compiling_did(shared):
    cell = shared.ok("%time Thread.sleep(120); 6 * 7")
    assert cell.result == "42"
    took, unit = re.match(r"took ([\d.]+) (ms|s), CPU .*; compiling took [\d.]+ ", note(cell)).groups()
    assert float(took) * (1000 if unit == "s" else 1) >= 120
    cell = shared.ok("%%time\nint timed = 5;\n%help help\ntimed + 1")
    assert cell.text == "%help NAME\n" and cell.result == "6"
    assert re.match(r"took [\d.]+ (µs|ms|s), CPU [\d.]+ (ns|µs|ms|s)$", note(cell))
    failed = shared.run('%time throw new IllegalStateException("timed out");')
    assert "timed out" in failed.error and note(failed).startswith("took ")
    assert "there is no code to time" in shared.run("%time").error


def test_vars_lists_names_types_and_short_values(shared):
    shared.ok(
        'int varsInt = 3; String varsText = "a\\nb"; List<Integer> varsMany = IntStream.range(0, 1000).boxed().toList();\n'
        "class VarsBad { public String toString() { throw new IllegalStateException(); } }\n"
        "VarsBad varsBad = new VarsBad(); Object varsNull = null; var varsSelf = new ArrayList<Object>(); varsSelf.add(varsSelf);\n"
        "record VarsPoint(int x, int y) {}\nvar varsPoint = new VarsPoint(1, 2); double[] varsArray = {1, 2.5};"
    )
    table = shared.ok("%vars").displays[0]
    lines = [line.rstrip() for line in table["text/plain"].splitlines()]
    row = {line.split()[0]: line.split(None, 2)[1:] for line in lines}
    assert row["variable"] == ["type", "value"]
    assert row["varsInt"] == ["int", "3"]
    assert row["varsText"] == ["String", '"a\\nb"']
    assert row["varsMany"] == ["List<Integer>", "[0, 1, 2, 3, 4, 5, 6, 7, ... 1000 in all]"]
    assert row["varsBad"] == ["VarsBad", "VarsBad, whose text fails: IllegalStateException"]
    assert row["varsNull"] == ["Object", "null"]
    assert row["varsSelf"] == ["ArrayList<Object>", "[[[...]]]"]
    assert row["varsPoint"] == ["VarsPoint", "VarsPoint[x=1, y=2]"]
    assert row["varsArray"] == ["double[]", "[1.0, 2.5]"]
    assert "<table>" in table["text/html"]


def test_an_endless_text_can_be_interrupted(shared):
    shared.ok("class VarsEndless { static boolean on; public String toString() { if (on) System.out.println(\"begun\"); while (on) {} return \"\"; } }\nvar varsEndless = new VarsEndless();")
    shared.ok("VarsEndless.on = true;")
    assert shared.interrupted("%vars").error == "the cell was interrupted"
    shared.ok("VarsEndless.on = false;")


def test_writefile_writes_the_lines_below(shared, tmp_path):
    file = tmp_path / "a file.txt"
    shared.ok(f'String writePath = "{tmp_path}";')
    body = "  What's \"this\" {x} \\n?\n%vars\n\n"
    assert shared.ok('%%writefile "{writePath}/a file.txt"\n' + body).text == "written to " + str(file) + ": 3 lines\n"
    assert file.read_text() == body
    assert "added to" in shared.ok('%%writefile --append "{writePath}/a file.txt"\nmore ünd').text
    assert file.read_text() == body + "more ünd\n"
    assert "replaced" in shared.ok('%%writefile "{writePath}/a file.txt"\nnew\n').text
    assert file.read_text() == "new\n"
    refused = shared.run("%%writefile {writePath}/nowhere/x\nhello").error
    assert refused.startswith(f"cannot write {tmp_path}/nowhere/x: ")
    assert "takes the lines below it" in shared.run("%writefile x").error


def test_load_runs_a_file_as_a_cell(shared, tmp_path):
    file = tmp_path / "part.jshell"
    file.write_text("// a file\nint loadedA = 20;\n%help help\nfor (int i = 0; i < 2; i++) {\n  %help help\n}\nloadedA + 1\n")
    cell = shared.ok(f"int loadedB = 1;\n%load {file}")
    assert cell.text == "%help NAME\n" * 3 and cell.result == "21"
    assert shared.ok(f"%load {file}\nloadedA + loadedB").result == "21"
    file.write_text(f"%load {file}\n")
    assert f"{file} loads itself" in shared.run(f"%load {file}").error
    assert shared.run("%load /nowhere/x.java").error.startswith("cannot read /nowhere/x.java: ")


def test_load_names_file_and_line_of_an_error(shared, tmp_path):
    file = tmp_path / "wrong.jshell"
    file.write_text("int loadedC = 1;\n\nint loadedD = missing;\n")
    cell = shared.run(f"%load {file}")
    assert f"{file}, line 3" in cell.traceback
    file.write_text("int loadedC = 1;\n\n%hlp\n")
    assert shared.run(f"%load {file}").error.startswith(f"{file}, line 3: there is no magic %hlp")


def test_a_command_streams_and_takes_values(shared, tmp_path):
    shared.ok(f'String shellPath = "{tmp_path}"; int shellTimes = 2;')
    assert shared.ok("!echo one; echo 'a  b' >&2; pwd | wc -l").text == "one\na  b\n1\n"
    assert shared.ok("!printf '%s.' {shellTimes} '{{shellTimes}'").text == "2.{shellTimes}."
    cell = shared.ok("!echo $((3*4)) > {shellPath}/n\nFiles.readString(Path.of(shellPath, \"n\")).strip()\n")
    assert cell.result == "12"
    assert shared.run("!cat").status == "ok"  # its input is closed
    assert "there is no variable nowhere" in shared.run("!echo {nowhere}").error
    first = []
    shared.run("!echo early; sleep 1; echo late", hook=lambda m: first.append((m["msg_type"], m["content"].get("text"))))
    assert [text for kind, text in first if kind == "stream"] == ["early\n", "late\n"]


def test_a_commands_exit_status_is_an_error(shared):
    cell = shared.run("!echo said; exit 3")
    assert cell.text == "said\n"
    assert cell.error == "`echo said; exit 3` ended with exit status 3"
    assert "exit status 127" in shared.run("!espalier-no-such-command").error


def test_an_interrupt_ends_a_commands_whole_tree(shared):
    started = threading.Event()

    def interrupt(message):
        if message["msg_type"] == "stream" and not started.is_set():
            started.set()
            shared.manager.interrupt_kernel()

    assert shared.run("!echo go; (sleep 4711; true) & sleep 4711", timeout=60, hook=interrupt).error == "the cell was interrupted"
    deadline = time.monotonic() + 20
    while any("4711" in " ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])):
        assert time.monotonic() < deadline, "the command's processes go on"
        time.sleep(0.1)


def test_a_background_process_does_not_hold_the_cell(shared):
    assert shared.run("!sleep 20 & echo started", timeout=15).text == "started\n"


@pytest.mark.parametrize("code", ["%vars now", "%time", "%load", "%%writefile\nx"])
def test_a_wrong_use_is_a_sentence(shared, code):
    cell = shared.run(code)
    assert cell.status == "error" and "Exception" not in cell.error and len(cell.error.splitlines()) <= 2


def test_a_pipe_that_nobody_serves_holds_no_cell(shared, tmp_path):
    pipe = tmp_path / "pipe.jshell"
    os.mkfifo(pipe)
    expected = f"{pipe}: it is a pipe, a device or a socket"
    assert shared.run(f"%load {pipe}", timeout=20).error == f"cannot read {expected}, expected a regular file"
    assert shared.run(f"%%writefile {pipe}\ntext", timeout=20).error == f"cannot write {expected}"
    assert pipe.name in shared.run(f"%jars {pipe}", timeout=20).error
