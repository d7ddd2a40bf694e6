"""A running kernel, cell by cell."""

import contextlib
import time

from jupyter_client.manager import start_new_kernel


class Cell:
    """What a cell showed and how it ended."""

    def __init__(self, reply, messages, seconds):
        self.status = reply["content"]["status"]
        self.error = reply["content"].get("evalue", "")
        self.seconds = seconds
        self.text = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
        self.displays = [m["content"]["data"] for m in messages if m["msg_type"] in ("display_data", "update_display_data")]
        self.result = next((m["content"]["data"] for m in messages if m["msg_type"] == "execute_result"), {}).get("text/plain")


class Notebook:
    def __init__(self, manager, client):
        self.manager, self.client = manager, client

    def run(self, code, timeout=120, hook=None):
        """Runs a cell to its end; hook sees each message as it comes."""
        messages, started = [], time.monotonic()

        def take(message):
            messages.append(message)
            if hook:
                hook(message)

        reply = self.client.execute_interactive(code, timeout=timeout, output_hook=take, stop_on_error=False)
        return Cell(reply, messages, time.monotonic() - started)

    def ok(self, code, timeout=120):
        cell = self.run(code, timeout)
        assert cell.status == "ok", cell.error
        return cell


@contextlib.contextmanager
def running(directory=None):
    manager, client = start_new_kernel(kernel_name="espalier", startup_timeout=60, cwd=directory)
    try:
        yield Notebook(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=False)
