"""The kernel as Jupyter's own suite sees it, and what that suite does not ask."""

import os
import subprocess
import sys
import time
import unittest
from pathlib import Path
from queue import Empty

import jars
import jdk
import jupyter_kernel_test
import notebook
import psutil
import pytest
import zmq
from jupyter_client.connect import write_connection_file
from place import ROOT

LINES = 100_000


class EspalierKernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = "espalier"
    language_name = "java"
    file_extension = ".jshell"
    code_hello_world = 'System.out.println("hello, world");'
    code_stderr = 'System.err.println("test");'
    code_generate_error = "int zero = 0; 1 / zero"
    completion_samples = [
        {"text": "System.out.prin", "matches": {"print(", "printf(", "println("}},
        {"text": "%gen", "matches": {"%generate"}},
        {"text": "%generate --max", "matches": {"--max-tokens"}},
    ]
    complete_code_samples = ["int x = 3;", "1 + 1", "%model load x", "class A { int a; }"]
    incomplete_code_samples = ["int f() {", "String s =", "%%generate\nWhat"]
    invalid_code_samples = ["int x = = 3;"]
    code_inspect_sample = "System.out.println"
    code_execute_result = [{"code": "6 * 7", "result": "42"}, {"code": 'String q = "hi"; q', "result": "hi"}]
    code_display_data = [{"code": "%magics", "mime": "text/html"}, {"code": 'display("x");', "mime": "text/plain"}]
    code_clear_output = "clearOutput();"
    code_history_pattern = "6 ? 7*"
    supported_history_operations = ("tail", "range", "search")


@pytest.fixture(scope="module")
def book():
    with notebook.running() as book:
        yield book


def reply_to(book, message_id, timeout):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        reply = book.client.get_shell_msg(timeout=deadline - time.monotonic())
        if reply["parent_header"].get("msg_id") == message_id:
            return reply
    raise AssertionError("no reply")


def drain(book):
    while True:
        try:
            book.client.get_iopub_msg(timeout=0.3)
        except Empty:
            return


def test_every_printed_line_arrives(book):
    text = book.ok(f"for (int i = 0; i < {LINES}; i++) System.out.println(i);").text
    assert text == "".join(f"{i}\n" for i in range(LINES))


@pytest.mark.parametrize("code", ["while (true) {}", "Thread.sleep(600_000);"])
def test_an_interrupt_ends_the_cell(book, code):
    cell = book.interrupted(f'System.out.println("begun"); {code}')
    assert cell.status == "error" and "interrupted" in cell.error
    assert book.ok("1 + 1").result == "2"


def test_an_interrupt_before_the_code_runs_ends_the_cell_too():
    with notebook.running() as fresh:  # whose JShell is still coming up
        cell = fresh.interrupted("while (true) {}", when=["execute_input"])
        assert cell.status == "error" and "interrupted" in cell.error
        assert fresh.ok("1 + 1").result == "2"


def test_the_kernel_outlives_a_value_that_cannot_be_shown(book):
    cell = book.run("var inner = new ArrayList<Object>(); var outer = List.of(inner); inner.add(outer); inner")
    assert cell.status == "error"
    assert cell.error == "the value, of class java.util.ArrayList, cannot be shown: java.lang.StackOverflowError"
    assert book.ok("inner.size()").result == "1"


def test_other_requests_are_answered_while_a_cell_runs(book):
    book.ok("volatile boolean kernelAsked = false;")
    cell = book.client.execute("while (!kernelAsked) Thread.sleep(10);")
    reply_to(book, book.client.complete("System.out.prin"), 30)
    reply_to(book, book.client.kernel_info(), 30)
    reply_to(book, book.client.is_complete("1 +"), 30)
    with pytest.raises(Empty):
        book.client.get_shell_msg(timeout=0.1)  # the cell still runs
    book.manager.interrupt_kernel()
    assert reply_to(book, cell, 30)["content"]["ename"] == "KeyboardInterrupt"
    drain(book)


def test_an_error_aborts_the_cells_that_wait(book):
    first = book.client.execute('Thread.sleep(500); throw new IllegalStateException("stop");', stop_on_error=True)
    second = book.client.execute("1 + 1", stop_on_error=True)
    assert reply_to(book, first, 30)["content"]["ename"] == "java.lang.IllegalStateException"
    assert reply_to(book, second, 30)["content"]["status"] == "aborted"
    drain(book)


def test_a_silent_cell_shows_nothing(book):
    seen = []
    book.client.execute_interactive("1 + 1", silent=True, timeout=30, output_hook=lambda m: seen.append(m["msg_type"]))
    assert set(seen) <= {"status"}


def test_user_expressions_are_evaluated(book):
    reply = book.client.execute_interactive("int n = 20;", user_expressions={"a": "n + 1", "b": "nothing"}, timeout=30)
    answers = reply["content"]["user_expressions"]
    assert answers["a"]["data"]["text/plain"] == "21"
    assert answers["b"]["status"] == "error"


def test_input_is_asked_of_the_user(book):
    cell = book.client.execute("new Scanner(System.in).nextLine()", allow_stdin=True)
    assert book.client.get_stdin_msg(timeout=30)["msg_type"] == "input_request"
    book.client.input("from the user")
    assert reply_to(book, cell, 30)["content"]["status"] == "ok"
    drain(book)


def test_a_thread_may_write_after_its_cell(book):
    cell = book.client.execute('new Thread(() -> { try { Thread.sleep(700); } catch (Exception e) {} System.out.print("late"); }).start();')
    reply_to(book, cell, 30)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        message = book.client.get_iopub_msg(timeout=20)
        if message["msg_type"] == "stream":
            assert message["content"]["text"] == "late"
            assert message["parent_header"]["msg_id"] == cell
            return
    raise AssertionError("the late line did not come")


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_an_unknown_request_gets_an_error(book, channel):
    message = book.client.session.msg("debug_request", {})
    getattr(book.client, f"{channel}_channel").send(message)
    reply = getattr(book.client, f"get_{channel}_msg")(timeout=20)
    assert reply["msg_type"] == "debug_reply" and reply["content"]["status"] == "error"


def test_a_compile_error_underlines_its_place(book):
    messages = []
    book.client.execute_interactive("int a = undefined + 1;", timeout=30, output_hook=messages.append)
    error = next(m["content"] for m in messages if m["msg_type"] == "error")
    assert error["ename"] == "CompilationError"
    assert any("^^^^^^^^^" in line for line in error["traceback"])


def test_frames_that_are_no_message_are_dropped(book):
    info = book.manager.get_connection_info()
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(f"{info['transport']}://{info['ip']}:{info['shell_port']}")
    header = b'{"msg_type":"execute_request"}'
    socket.send_multipart([b"", b"no message"])
    socket.send_multipart([b"<IDS|MSG>"])
    socket.send_multipart([b"<IDS|MSG>", b"0" * 64, header, b"{}", b"{}", b'{"code":"System.exit(1)"}'])
    socket.send_multipart([b"\xff" * 1_000_000])
    assert book.ok("1 + 1").result == "2"
    socket.close()


def test_the_kernel_ends_with_its_parent(tmp_path):
    script = (
        "import sys; from jupyter_client.manager import start_new_kernel; "
        "m, c = start_new_kernel(kernel_name='espalier', startup_timeout=60); "
        "print(m.provisioner.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    kernel = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 30
    while psutil.pid_exists(kernel) and psutil.Process(kernel).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the kernel goes on without its parent"
        time.sleep(0.2)


def test_the_kernel_ends_if_its_parent_went_while_it_started(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    file, _ = write_connection_file(str(tmp_path / "connection.json"))
    command = [str(Path(jdk.find(), "bin", "java")), "-jar", str(jars.KERNEL), file]
    done = subprocess.run(command, env={**os.environ, "JPY_PARENT_PID": str(gone.pid)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "the process that started it is gone" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "give Jupyter's connection file"),
        (["--frobnicate"], 2, "Unknown option: '--frobnicate'"),
        (["/nowhere/connection.json"], 1, "cannot read the connection file /nowhere/connection.json"),
        ([str(ROOT / "README.md")], 1, "is not a connection file"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(arguments, code, says):
    java = str(Path(jdk.find(), "bin", "java"))
    done = subprocess.run([java, "-jar", str(jars.KERNEL), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    assert says in done.stderr and len(done.stderr.strip().splitlines()) == 1


if __name__ == "__main__":
    unittest.main()


def test_streams_that_code_sets_to_null_are_set_again(shared):
    shared.ok("System.setOut(null); System.setErr(null); System.setIn(null);")
    cell = shared.ok('System.out.println("out"); System.err.println("err"); System.in != null')
    assert (cell.text, cell.result) == ("out\nerr\n", "true")
    failed = shared.run('System.setErr(null); new Thread(() -> { throw new IllegalStateException("lost"); }).start(); missingNull;')
    assert failed.error.startswith("cannot find symbol")
    assert shared.ok('System.setErr(null); var nullDies = new Thread(() -> { throw new IllegalStateException("told"); }); nullDies.start(); nullDies.join();').text.startswith(
        'Exception in thread "Thread-'
    )
    shared.ok("var nullKept = System.out; System.setOut(new PrintStream(new ByteArrayOutputStream()));")
    assert shared.ok('System.out.println("elsewhere"); System.setOut(nullKept);').text == ""  # what code sets, stays


def test_a_thread_that_holds_the_output_holds_no_cell(shared):
    shared.ok(
        "var holdEnds = new CountDownLatch(1); var holds = new CountDownLatch(1);\n"
        "var holder = new Thread(() -> { synchronized (System.out) { holds.countDown(); try { holdEnds.await(); } catch (InterruptedException e) {} } });\n"
        "holder.start(); holds.await();",
        timeout=20,
    )
    assert shared.run("6 * 7", timeout=20).result == "42"
    shared.ok("holdEnds.countDown(); holder.join();")
