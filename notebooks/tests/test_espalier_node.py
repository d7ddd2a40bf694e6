"""The launcher espalier-node at the root: from any folder, through links, with a sentence for what is missing."""

import os
import shutil
import subprocess

import jars
import pytest
from place import ROOT

SCRIPT = ROOT / "espalier-node"


def run(command, *arguments, timeout=60, **options):
    return subprocess.run([command, *arguments], capture_output=True, text=True, timeout=timeout, **options)


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


@pytest.fixture(scope="module")
def archived(tmp_path_factory):
    """A clone whose archive was made, once for all tests here."""
    root = tmp_path_factory.mktemp("archived")
    shutil.copy(SCRIPT, root)
    target = root / "node-server" / "target"
    target.mkdir(parents=True)
    shutil.copy2(jars.NODE, target)
    (root / "models").symlink_to(ROOT / "models")
    done = run(root / "espalier-node", "--archive", timeout=240)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return root


def archives(root):
    """That of commands with nodes first; from Java 25 on there is another for those without."""
    return sorted((root / "node-server" / "target").glob("*.jsa"), reverse=True)


def says_its_version(root, **options):
    done = run(root / "espalier-node", "--version", **options)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("espalier-node ") and done.stdout.count("\n") == 1


@pytest.mark.parametrize("arguments", ["--version", "inspect demo"])
def test_classes_come_from_the_archive(archived, arguments):
    loaded = run(archived / "espalier-node", *arguments.split(), env={**os.environ, "JDK_JAVA_OPTIONS": "-Xlog:class+load"})
    ours = [line for line in loaded.stdout.splitlines() if "org.espalier.node.cli.EspalierNode source:" in line]
    assert len(ours) == 1 and "source: shared objects file" in ours[0]


def test_an_archive_that_is_there_is_not_made_again(archived, tmp_path):
    made = archives(archived)
    before = [archive.stat().st_ino for archive in made]
    kept = tmp_path / "a file of the user's"
    kept.touch()
    assert made and run(archived / "espalier-node", "--archive", env={**os.environ, "part": str(kept)}).returncode == 0
    assert kept.exists() and archives(archived) == made and [archive.stat().st_ino for archive in made] == before


@pytest.mark.parametrize("state", ["missing", "damaged", "of another jar"])
def test_an_archive_that_cannot_be_used_is_not_spoken_of(archived, clone, state):
    shutil.copytree(archived / "node-server", clone / "node-server")
    archive = archives(clone)[0]
    if state == "of another jar":
        os.utime(clone / "node-server" / "target" / "espalier-node.jar", (1e9, 1e9))
    else:
        archive.unlink()
    if state == "damaged":
        archive.write_bytes(b"no archive" * 1000)
    says_its_version(clone)


def test_a_folder_that_cannot_be_written_is_said_to_whoever_asks_for_an_archive(clone):
    target = clone / "node-server" / "target"
    target.mkdir(parents=True)
    (target / "espalier-node.jar").symlink_to(jars.NODE)
    (clone / "models").symlink_to(ROOT / "models")
    blocked = clone / "blocked"  # a file where a folder should be stops root too, whom no permission stops
    blocked.write_text("")
    script = (clone / "espalier-node").read_text()
    (clone / "espalier-node").write_text(script.replace("archives=$root/node-server/target/", "archives=$root/blocked/"))
    says_its_version(clone)
    done = run(clone / "espalier-node", "--archive", timeout=240)
    assert done.returncode == 1
    assert done.stderr.startswith(f"espalier-node: cannot make {blocked}/espalier-node-")
    says_its_version(clone)


def test_a_collector_of_the_users_own_is_kept(archived):
    says = run(archived / "espalier-node", "--version", env={**os.environ, "JDK_JAVA_OPTIONS": "-XX:+UseParallelGC"})
    assert says.returncode == 0 and says.stdout.startswith("espalier-node "), says.stderr


def test_nodes_that_a_command_starts_use_its_archive(archived, tmp_path):
    logged = {**os.environ, "JDK_JAVA_OPTIONS": f"-Xlog:class+load:file={tmp_path}/%p.log"}
    done = run(archived / "espalier-node", "run", "--model", "demo", "--prompt", "a", "--predict", "1", "--nodes", "1", env=logged)
    assert done.returncode == 0, done.stderr
    logs = [log.read_text() for log in tmp_path.glob("*.log")]
    assert len(logs) == 2
    for log in logs:
        ours = [line for line in log.splitlines() if " org.espalier." in line and "Lambda" not in line]
        shared = [line for line in ours if "source: shared objects file" in line]
        assert len(shared) > 0.8 * len(ours), [line for line in ours if line not in shared]


@pytest.mark.parametrize(
    ("arguments", "short"),
    [("inspect none", True), ("bench --model none --engine cpu", True), ("bench --model none", False), ("run --model none", False)],
)
def test_only_short_commands_do_without_the_optimizing_compiler(archived, arguments, short):
    shown = run(archived / "espalier-node", *arguments.split(), env={**os.environ, "JDK_JAVA_OPTIONS": "-XX:+PrintCommandLineFlags"})
    assert "-XX:+UseSerialGC" in shown.stdout
    assert ("-XX:TieredStopAtLevel=1" in shown.stdout) == short
