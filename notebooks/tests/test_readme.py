"""What README.md shows can be done: its magics exist, its Java runs line by line, its commands have these options, its files are there."""

import functools
import re
import shlex
import subprocess
import tempfile

import notebook
import pytest
from place import ROOT

README = (ROOT / "README.md").read_text()


def lines(language):
    """Of all code blocks of a language; "" for those that name none."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [line for named, block in blocks if named == language for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def book():
    """A kernel of its own: it keeps a cluster over all lines."""
    with tempfile.TemporaryDirectory() as folder, notebook.running(directory=folder) as book:
        yield book


def magics():
    return sorted({match[1] for line in lines("") if (match := re.match(r"%{1,2}([a-z]+)", line))})


def test_it_shows_magics_and_java():
    assert {"cluster", "model", "generate", "experts"} <= set(magics())
    assert len(lines("java")) >= 8


@pytest.mark.parametrize("magic", magics())
def test_its_magics_exist(book, magic):
    said = book.ok(f"%help {magic}").text
    for line in lines(""):
        if re.match(rf"%{{1,2}}{magic}\b", line):
            for option in re.findall(r"(?<= )--[a-z-]+", line):
                assert option in said, f"%help {magic} does not know {option}"


def test_its_java_runs_line_by_line(book):
    for line in lines("java"):
        cell = book.run(line)
        assert cell.status == "ok", f"{line}\n{cell.error}"


NODE = re.compile(r"\./espalier-node |java -jar node-server/target/espalier-node.jar ")


def commands():
    return [line for line in lines("sh") if NODE.match(line)]


@pytest.mark.parametrize("command", commands())
def test_its_commands_have_these_options(command):
    program, words = shlex.split(NODE.match(command)[0]), shlex.split(NODE.sub("", command), comments=True)
    said = help_of(*program, words[0])
    for option in (word for word in words if word.startswith("--")):
        assert option in said, f"{words[0]} does not know {option}"


@functools.cache
def help_of(*command):
    helped = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert helped.returncode == 0, helped.stderr
    return helped.stdout


def test_a_command_that_needs_no_network_runs():
    command = next(command for command in commands() if " inspect " in command)
    done = subprocess.run(shlex.split(command, comments=True), cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "llama" in done.stdout, done.stderr


@pytest.mark.parametrize("option", [word for line in lines("sh") if "notebooks/lab" in line for word in shlex.split(line, comments=True) if word.startswith("--")])
def test_options_of_lab_exist(option):
    assert option in help_of("notebooks/lab")


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README))))
def test_its_links_lead_somewhere(target):
    assert (ROOT / target).exists()
