"""The launcher espalier-node at the root: from any folder, through links, with a sentence for what is missing."""

import os
import shutil
import subprocess

import jars
import pytest
from place import ROOT

SCRIPT = ROOT / "espalier-node"


def run(command, *arguments, **options):
    return subprocess.run([command, *arguments], capture_output=True, text=True, timeout=60, **options)


@pytest.fixture
def clone(tmp_path):
    """A folder with the launcher and, once a test has put one there, a jar."""
    root = tmp_path / "a clone"
    root.mkdir()
    shutil.copy(SCRIPT, root)
    return root


def test_it_works_through_links_from_any_folder(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "first").symlink_to(SCRIPT)
    (tmp_path / "second").symlink_to("bin/first")
    done = run(tmp_path / "second", "score", "--help", cwd="/")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: espalier-node score")


def test_a_missing_jar_says_how_to_build_it(clone):
    done = run(clone / "espalier-node", "serve")
    assert done.returncode == 1
    jar = clone / "node-server" / "target" / "espalier-node.jar"
    assert done.stderr == f"espalier-node: {jar} is missing: build it with {clone}/notebooks/lab --setup, or mvn -DskipTests package in {clone}\n"


@pytest.mark.parametrize(
    ("says", "fault"),
    [("java.specification.version = 11", "is Java 11"), ("java.specification.version = 1.8", "is Java 8"), ("no Java", "is not a working Java")],
)
def test_a_java_that_will_not_do_is_named(clone, says, fault):
    (clone / "node-server" / "target").mkdir(parents=True)
    (clone / "node-server" / "target" / "espalier-node.jar").symlink_to(jars.NODE)
    old = clone / "jdk" / "bin" / "java"
    old.parent.mkdir(parents=True)
    old.write_text(f"#!/bin/sh\necho '    {says}' >&2\n")
    old.chmod(0o755)
    tools = clone / "tools"
    tools.mkdir()
    for tool in ("dirname", "readlink", "sed", "sh"):
        (tools / tool).symlink_to(shutil.which(tool))
    done = run(clone / "espalier-node", "--version", env={"JAVA_HOME": str(clone / "jdk"), "PATH": str(tools)})
    assert done.returncode == 1
    assert done.stderr.startswith(f"espalier-node: {old} {fault}: install Java 17 or newer")
    good = run(clone / "espalier-node", "--version", env={**os.environ, "JAVA_HOME": str(clone / "jdk")})
    assert good.returncode == 0 and good.stdout.startswith("espalier-node "), good.stderr
