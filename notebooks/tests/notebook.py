"""A running kernel, cell by cell."""

import contextlib
import subprocess
import tempfile
import time

import jars
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager


class Cell:
    """What a cell showed and how it ended."""

    def __init__(self, reply, messages, seconds):
        self.status = reply["content"]["status"]
        self.error = reply["content"].get("evalue", "")
        self.traceback = "\n".join(reply["content"].get("traceback", []))
        self.seconds = seconds
        self.messages = messages
        self.streams = [(m["content"]["name"], m["content"]["text"]) for m in messages if m["msg_type"] == "stream"]
        self.text = "".join(text for _, text in self.streams)
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

    def interrupted(self, code, timeout=60, when=("stream", "display_data")):
        """Runs a cell that prints or shows something, and interrupts it then; Cell.seconds are those after the interrupt."""
        sent = []

        def interrupt(message):
            if not sent and message["msg_type"] in when:
                sent.append(time.monotonic())
                self.manager.interrupt_kernel()

        cell = self.run(code, timeout, interrupt)
        assert sent, "the cell showed nothing"
        cell.seconds = time.monotonic() - sent[0]
        return cell

    def ok(self, code, timeout=120):
        cell = self.run(code, timeout)
        assert cell.status == "ok", cell.error
        return cell


@contextlib.contextmanager
def running(directory=None, java=None, env=None):
    """A kernel of its own, as installed in .venv or, with java, on the JVM of that path."""
    with tempfile.TemporaryDirectory() as prefix:
        specs = KernelSpecManager()
        if java:
            subprocess.run([java, "-jar", str(jars.KERNEL), "--install", "--no-archive", "--prefix", prefix], check=True, timeout=60, stdout=subprocess.DEVNULL)
            specs = KernelSpecManager(kernel_dirs=[f"{prefix}/share/jupyter/kernels"])
        manager = KernelManager(kernel_name="espalier", kernel_spec_manager=specs)
        manager.start_kernel(cwd=directory, **({"env": env} if env else {}))
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            yield Notebook(manager, client)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=False)
