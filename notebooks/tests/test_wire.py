"""What the kernel sends is bounded and loses nothing; what it is sent cannot harm it."""

import contextlib
import json
import os
import socket
import struct
import threading
import time

import notebook
import psutil
import pytest
import zmq
from jupyter_client.session import Session

MEGABYTES = 300
HEAP = 128  # MB: less than half of what is printed


@pytest.fixture(scope="module")
def small():
    """A kernel whose heap cannot hold what its tests print and send."""
    with notebook.running(env={**os.environ, "JAVA_TOOL_OPTIONS": f"-Xmx{HEAP}m"}) as book:
        book.ok("1 + 1")
        yield book


def reply_to(book, message_id, timeout=30):
    deadline = time.monotonic() + timeout
    while True:
        reply = book.client.get_shell_msg(timeout=deadline - time.monotonic())
        if reply["parent_header"].get("msg_id") == message_id:
            return reply["content"]


def shown(book, message_id, until="idle", timeout=30):
    """What iopub says of a request, up to its end."""
    messages, deadline = [], time.monotonic() + timeout
    while True:
        message = book.client.get_iopub_msg(timeout=deadline - time.monotonic())
        if message["parent_header"].get("msg_id") == message_id:
            messages.append(message)
            if message["content"].get("execution_state") == until:
                return messages


def ask(book, kind, content):
    message = book.client.session.msg(kind, content)
    book.client.shell_channel.send(message)
    return message["header"]["msg_id"]


def another_client(book):
    """A client with an identity of its own: one with the same takes the other's place."""
    client = book.manager.client()
    client.session = Session(key=book.client.session.key)
    client.start_channels()
    return client


def test_text_is_sent_in_messages_of_at_most_64_kb(shared):
    cell = shared.ok('System.out.print("0123456789é\\n".repeat(100_000));')
    assert cell.text == "0123456789é\n" * 100_000
    assert max(len(json.dumps(m["content"], ensure_ascii=False).encode()) for m in cell.messages if m["msg_type"] == "stream") <= 65_536


def test_both_streams_keep_their_order(shared):
    cell = shared.ok('for (int i = 0; i < 20; i++) { System.out.println("out " + i); System.err.println("err " + i); }')
    assert cell.text == "".join(f"out {i}\nerr {i}\n" for i in range(20))


def test_streams_that_change_at_every_line_are_gathered(shared):
    cell = shared.ok("for (int i = 0; i < 20_000; i++) { System.out.println(i); System.err.println(-i); }")
    for name, sign in (("stdout", 1), ("stderr", -1)):
        assert "".join(text for stream, text in cell.streams if stream == name) == "".join(f"{sign * i}\n" for i in range(20_000))
    assert len(cell.streams) < 10_000


def test_a_prompt_is_shown_before_its_question(shared):
    cell = shared.client.execute('System.out.print("Name: "); new Scanner(System.in).nextLine()', allow_stdin=True)
    shared.client.get_stdin_msg(timeout=30)
    messages, deadline = [], time.monotonic() + 5
    while "stream" not in messages:  # nothing has been answered yet
        messages.append(shared.client.get_iopub_msg(timeout=deadline - time.monotonic())["msg_type"])
    shared.client.input("Ada")
    assert reply_to(shared, cell)["status"] == "ok"
    shown(shared, cell)


def test_a_value_above_20_mb_is_a_sentence(shared):
    sentence = "(more than 20 MB to show, so nothing of it is shown: write it to a file, or show a part)"
    assert shared.ok('"w".repeat(20_100_000)').result == sentence
    assert shared.ok('display("w".repeat(20_100_000));').displays == [{"text/plain": sentence}]
    assert len(shared.ok('"w".repeat(19_000_000)').result) == 19_000_000


def test_a_value_whose_text_is_null_is_shown_as_null(shared):
    cell = shared.ok('class WireNull { @Override public String toString() { return null; } } new WireNull()')
    assert cell.result == "null"
    assert shared.ok("display(new WireNull());").displays == [{"text/plain": "null"}]


def test_a_token_is_not_shown(shared):
    code = 'new org.espalier.hub.HubSettings(URI.create("http://h"), Path.of("c"), Optional.of("hf_secret"), org.espalier.hub.HubSettings.Access.ONLINE)'
    cell = shared.ok(code)
    assert "hf_secret" not in json.dumps([m["content"] for m in cell.messages if m["msg_type"] == "execute_result"])
    assert "token=(set, not shown)" in cell.result


def test_each_kernel_has_a_log_of_its_own(shared):
    pid = shared.manager.provisioner.pid
    open_files = [f.path for f in psutil.Process(pid).open_files() if f.path.endswith(".log")]
    assert len(open_files) == 1 and open_files[0].endswith(f"-{pid}.log")


def test_a_cell_above_20_mb_gets_an_error(small):
    request = ask(small, "execute_request", {"code": "// " + "x" * 20_100_000, "silent": False, "user_expressions": {}})
    reply = reply_to(small, request)
    assert reply["status"] == "error"
    assert reply["evalue"] == "the content of this execute_request has 20.1 MB: at most 20 MB are taken"
    assert [m["content"]["evalue"] for m in shown(small, request) if m["msg_type"] == "error"] == [reply["evalue"]]
    assert small.ok("1 + 1").result == "2"


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        ("execute_request", {"code": 5}, "code of this execute_request is 5: expected a text"),
        ("execute_request", {}, "code of this execute_request is missing: expected a text"),
        ("execute_request", {"code": "1", "silent": "no"}, 'silent of this execute_request is "no": expected true or false'),
        ("execute_request", {"code": "1", "allow_stdin": 1}, "allow_stdin of this execute_request is 1: expected true or false"),
        ("execute_request", {"code": "1", "user_expressions": []}, "user_expressions of this execute_request is []: expected an object"),
        ("complete_request", {"code": {}, "cursor_pos": 0}, "code of this complete_request is {}: expected a text"),
        ("complete_request", {"code": "Str", "cursor_pos": "end"}, 'cursor_pos of this complete_request is "end": expected a whole number'),
        ("inspect_request", {"code": "Str", "cursor_pos": 1.5}, "cursor_pos of this inspect_request is 1.5: expected a whole number"),
        ("is_complete_request", {"code": None}, "code of this is_complete_request is null: expected a text"),
    ],
)
def test_a_field_of_the_wrong_type_gets_an_error(shared, kind, content, says):
    reply = reply_to(shared, ask(shared, kind, content))
    assert (reply["status"], reply["ename"], reply["evalue"]) == ("error", "InvalidRequest", says)


@pytest.mark.parametrize("place", [-(10**30), -1, 3, 10**9, 10**30, None])
def test_a_cursor_outside_the_code_is_its_nearest_end(shared, place):
    reply = reply_to(shared, ask(shared, "complete_request", {"code": "Str", "cursor_pos": place}))
    assert reply["status"] == "ok"
    assert reply["cursor_end"] == (0 if place is not None and place < 0 else 3)


def test_json_that_is_too_deep_gets_an_error(shared):
    session = shared.client.session
    message = session.msg("execute_request", {})
    parts = [session.pack(message["header"]), b"{}", b"{}", b'{"code":' + b"[" * 5000 + b"]" * 5000 + b"}"]
    shared.client.shell_channel.socket.send_multipart([b"<IDS|MSG>", session.sign(parts), *parts])
    reply = reply_to(shared, message["header"]["msg_id"])
    assert reply["status"] == "error" and reply["evalue"].startswith("the content of this execute_request is not JSON: ")


def test_a_pattern_cannot_hold_the_kernel(shared):
    shared.ok(f'int wireLong = "{"a" * 20_000}".length();')
    request = ask(shared, "history_request", {"hist_access_type": "search", "pattern": "*a" * 200 + "b", "output": False, "raw": True})
    assert reply_to(shared, request)["history"] == []


def test_a_comm_to_an_unknown_target_is_closed(shared):
    opened = ask(shared, "comm_open", {"comm_id": "wire", "target_name": "nothing", "data": {}})
    assert [m["content"]["comm_id"] for m in shown(shared, opened) if m["msg_type"] == "comm_close"] == ["wire"]
    asked = ask(shared, "comm_info_request", {})
    assert reply_to(shared, asked) == {"status": "ok", "comms": {}}
    shown(shared, asked)


def raw(book, channel, kind="DEALER"):
    """A connection to a channel after the handshake of ZMTP 3.0, by hand, for which the system keeps little that is not read."""
    info = book.manager.get_connection_info()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    connection.settimeout(20)
    connection.connect((info["ip"], info[f"{channel}_port"]))
    connection.sendall(b"\xff" + bytes(7) + b"\x01\x7f\x03\x00NULL" + bytes(16 + 32))
    ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind.encode()
    connection.sendall(bytes([4, len(ready)]) + ready)
    return connection


@pytest.mark.parametrize("size", [2**31 - 1, 2**31, 2**62, 2**63, 2**64 - 1, 2**28 + 1])
def test_a_frame_that_is_too_large_ends_its_connection_only(small, size):
    for channel in ("shell", "control", "stdin", "hb", "iopub"):
        with raw(small, channel) as connection:
            connection.sendall(b"\x02" + struct.pack(">Q", size) + b"x" * 1000)
    assert small.ok("1 + 1").result == "2"
    assert small.client.hb_channel.is_beating()


def test_many_frames_and_binary_frames_harm_nobody(small):
    info = small.manager.get_connection_info()
    other = Session(key=b"not the key")
    for channel in ("shell", "control", "stdin"):
        client = zmq.Context.instance().socket(zmq.DEALER)
        client.linger = 1000
        client.connect(f"{info['transport']}://{info['ip']}:{info[f'{channel}_port']}")
        client.send_multipart([b"x"] * 5000)
        client.send_multipart([b"\x00\xff" * 1000] * 7)
        other.send(client, other.msg("shutdown_request", {"restart": False}))
        client.close()
    assert small.ok("1 + 1").result == "2"


def send_raw(connection, session, kind, content):
    """Sends a request as the bytes of ZMTP and returns its id."""
    header = session.msg_header(kind)
    parts = [session.pack(part) for part in (header, {}, {}, content)]
    frames = [b"<IDS|MSG>", session.sign(parts), *parts]
    for frame in frames:
        connection.sendall(bytes([3 if frame is not frames[-1] else 2]) + struct.pack(">Q", len(frame)) + frame)
    return header["msg_id"]


def test_replies_to_a_client_that_does_not_read_are_bounded(small):
    """Each reply has 4 MB: 32 MB may wait, some more lie in the system's buffer, and then the client's connection ends."""
    small.ok('String wireMuch = "x".repeat(4_000_000);')
    much = {"code": "", "silent": True, "user_expressions": {"much": "wireMuch"}}
    with raw(small, "shell") as connection:
        asked = [send_raw(connection, small.client.session, "execute_request", much) for _ in range(14)]
        shown(small, asked[-1], timeout=60)
        connection.settimeout(60)
        read = 0
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(1 << 20):
                read += len(chunk)
        assert read < 45_000_000
    assert small.ok("1 + 1").result == "2"


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_a_client_that_floods_a_channel_delays_no_other(small, channel):
    """It never reads. What its requests cause, two status messages each, is all that lies between this client and its own cell."""
    session, sent = Session(key=small.client.session.key), []
    with raw(small, channel) as connection:

        def flood():
            with contextlib.suppress(OSError):  # closed below
                for _ in range(20_000):
                    sent.append(send_raw(connection, session, "kernel_info_request", {}))

        flooding = threading.Thread(target=flood)
        flooding.start()
        while len(sent) < 5000:
            time.sleep(0.01)
        seen = 0
        for _ in range(5):
            cell = small.client.execute("1 + 1")
            assert reply_to(small, cell)["status"] == "ok"
            while (message := small.client.get_iopub_msg(timeout=30))["parent_header"].get("msg_id") != cell or message["content"].get("execution_state") != "idle":
                seen += 1
        assert seen < 5000
        connection.shutdown(socket.SHUT_RDWR)
        flooding.join()


def test_a_client_takes_its_turn_and_an_error_of_another_stops_none_of_its_cells(small):
    other = another_client(small)
    try:
        first = small.client.execute('int wireTurn = Integer.parseInt(new Scanner(System.in).nextLine());', allow_stdin=True)
        small.client.get_stdin_msg(timeout=30)
        aborted = [small.client.execute("2 + 2") for _ in range(100)]
        reply_to(small, small.client.kernel_info())  # so all of them wait by now
        its_own = other.execute("3 + 3")
        other.kernel_info()
        other.get_shell_msg(timeout=30)
        small.client.input("no number")
        assert reply_to(small, first)["status"] == "error"
        assert [reply_to(small, cell)["status"] for cell in aborted] == ["aborted"] * 100
        reply = other.get_shell_msg(timeout=30)
        assert reply["parent_header"]["msg_id"] == its_own and reply["content"]["status"] == "ok"

        held = small.client.execute("new Scanner(System.in).nextLine()", allow_stdin=True)
        small.client.get_stdin_msg(timeout=30)
        many = [small.client.execute("5 + 5") for _ in range(20)]
        reply_to(small, small.client.kernel_info())
        other.execute("4 + 4")
        other.kernel_info()
        other.get_shell_msg(timeout=30)
        small.client.input("")
        before = reply_to(small, held)["execution_count"]
        assert other.get_shell_msg(timeout=30)["content"]["execution_count"] == before + 2  # the first of many had its turn
        assert reply_to(small, many[-1])["execution_count"] == before + 21
    finally:
        other.stop_channels()


def test_peers_that_shake_hands_and_say_nothing_keep_nobody_out(small):
    kinds = {"shell": "DEALER", "control": "DEALER", "stdin": "DEALER", "hb": "REQ", "iopub": "SUB"}
    with contextlib.ExitStack() as silent:
        for channel, kind in kinds.items():
            for _ in range(64):
                silent.enter_context(raw(small, channel, kind))
        late = another_client(small)
        try:
            late.wait_for_ready(timeout=20)
            assert late.execute_interactive("1 + 1", timeout=20)["content"]["status"] == "ok"
        finally:
            late.stop_channels()
    assert small.ok("1 + 1").result == "2"


def test_a_subscriber_that_hangs_holds_the_others_for_a_while_and_hears_what_it_missed():
    """As PublisherTest has it, through a whole kernel and with a second of patience instead of 30."""
    with notebook.running(env={**os.environ, "JAVA_TOOL_OPTIONS": "-Despalier.patience=1"}) as book:
        with raw(book, "iopub", "SUB") as hung:
            hung.sendall(b"\x00\x01\x01")  # subscribes to everything
            received = hung.recv(1 << 16)
            while b"iopub_welcome" not in received:
                received += hung.recv(1 << 16)
            printed = book.ok('String wireLine = "x".repeat(999); for (int i = 0; i < 20_000; i++) System.out.println(wireLine);')
            assert len(printed.text) == 20_000_000
            received = b""
            while b"of output were not sent to it]" not in received:
                received = received[-(1 << 16):] + hung.recv(1 << 16)
            assert received.count(b"[this client read too slowly: ") == 1
            last = book.client.execute("1 + 1")
            while last.encode() not in received:  # what comes after is sent to it again
                received = received[-(1 << 16):] + hung.recv(1 << 16)


def test_printing_to_a_client_that_does_not_read_is_bounded_and_can_be_stopped(small):
    """libzmq in this process takes about 32 MB; the kernel's heap could not hold the rest."""
    code = f'String wireLine = "x".repeat(999); for (int i = 0; i < {MEGABYTES * 1000}; i++) System.out.println(wireLine);'
    cell = small.client.execute(code)
    process, used = psutil.Process(small.manager.provisioner.pid), []
    deadline = time.monotonic() + 60
    while len(used) < 3 or used[-1] < 10_000_000 or used[-1] - used[-3] > 100_000:  # until only heartbeats are written
        assert time.monotonic() < deadline, used
        time.sleep(0.5)
        used.append(process.io_counters().write_chars)
    with pytest.raises(Exception):  # noqa: B017 - queue.Empty: the cell waits
        small.client.get_shell_msg(timeout=0.1)
    small.manager.interrupt_kernel()
    reply = reply_to(small, cell)
    assert reply["status"] == "error" and reply["evalue"] == "the cell was interrupted"
    assert process.memory_info().rss < 600 << 20
    kinds = [m["msg_type"] for m in shown(small, cell)]
    assert kinds[-2:] == ["error", "status"] and kinds.count("stream") > 500
    assert small.ok("1 + 1").result == "2"
