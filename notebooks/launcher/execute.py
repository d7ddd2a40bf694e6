"""Runs a notebook without a browser: execute.py NOTEBOOK TARGET. Runs in .venv."""

import re
import sys
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

CELL_SECONDS = 300  # a cell that hangs must not hang a build


def execute(source, target):
    """Writes the notebook with its outputs to target, as far as it came; returns what went wrong, or None."""
    notebook = nbformat.read(source, as_version=4)
    place = {"metadata": {"path": str(source.parent)}}
    client = NotebookClient(notebook, timeout=CELL_SECONDS, coalesce_streams=True, resources=place)
    try:
        client.execute()
        return None
    except CellExecutionError as error:
        return f"{failed_cell(notebook)} failed with {plain(error.ename)}: {plain(error.evalue)}"
    except CellTimeoutError:
        return f"{failed_cell(notebook)} ran longer than {CELL_SECONDS} s"
    except DeadKernelError:
        return f"{failed_cell(notebook)} killed the kernel"
    except NoSuchKernel as error:
        return f"the kernel {error.name!r} is not installed: run ./notebooks/lab --setup"
    finally:
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)


def failed_cell(notebook):
    """The last code cell that was started: its number and its first line."""
    started = [cell for cell in notebook.cells if cell.cell_type == "code" and "execution" in cell.metadata]
    if not started:
        return "the first cell"
    return f"cell {len(started)} ({started[-1].source.splitlines()[0]})"


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text or "").strip()


if __name__ == "__main__":
    source, target = (Path(argument).resolve() for argument in sys.argv[1:])
    if problem := execute(source, target):
        sys.exit(f"lab: {source.name}: {problem} (outputs so far: {target})")
    print(f"{source.name} ran to its end: {target}")
