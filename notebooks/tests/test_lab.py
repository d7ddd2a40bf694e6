"""notebooks/lab: its options, and one clear sentence for everything that a machine may lack."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1]
TOOLS = ("dirname", "cat", "sh", "env")  # what the launcher itself needs on the PATH


def lab(root, *arguments, **environment):
    return subprocess.run([root / "notebooks" / "lab", *arguments], capture_output=True, text=True, timeout=60, env=environment)


def program(folder, name, text):
    file = folder / name
    file.write_text("#!/bin/sh\n" + text + "\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def path(tmp_path):
    """An otherwise empty PATH with this Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    program(folder, "python3", f'exec "{sys.executable}" "$@"')
    return folder


@pytest.fixture
def clone(tmp_path):
    """A clone in which nothing is built."""
    root = tmp_path / "clone with spaces"
    shutil.copytree(NOTEBOOKS / "launcher", root / "notebooks" / "launcher", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("lab", "requirements.txt", "quickstart.ipynb"):
        shutil.copy(NOTEBOOKS / name, root / "notebooks" / name)
    (root / "notebooks" / "python").mkdir()
    shutil.copy(NOTEBOOKS / "python" / "pyproject.toml", root / "notebooks" / "python")
    return root


def fake_java(folder, version, jdk=True, modules="java.base@17"):
    home = folder / f"java-{version}"
    (home / "bin").mkdir(parents=True)
    settings = f"    java.home = {home}\n    java.specification.version = {version}\n"
    program(home / "bin", "java", f"if [ \"$1\" = --list-modules ]; then echo '{modules}'; else echo '{settings}' >&2; fi")
    if jdk:
        program(home / "bin", "javac", "exit 0")
    return home


def one_sentence(done, *parts, code=1):
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("lab: ") and done.stderr.count("\n") == 1, done.stderr
    for part in parts:
        assert part in done.stderr


def test_help_names_every_option(clone, path):
    done = lab(clone, "--help", PATH=str(path))
    assert done.returncode == 0 and done.stderr == ""
    for option in ("--setup", "--run", "--wheel", "--no-build", "--help", "quickstart.ipynb", "-- --port"):
        assert option in done.stdout


@pytest.mark.parametrize("option", ["--frobnicate", "--set", "-x"])
def test_an_unknown_option_is_refused(clone, path, option):
    one_sentence(lab(clone, option, PATH=str(path)), option, "see ./notebooks/lab --help", code=2)


def test_setup_and_run_exclude_each_other(clone, path):
    one_sentence(lab(clone, "--setup", "--run", PATH=str(path)), "--setup", "--run", code=2)


def test_an_unknown_notebook_is_refused(clone, path):
    one_sentence(lab(clone, "--run", "nowhere.ipynb", PATH=str(path)), "nowhere.ipynb", code=2)


def test_options_for_jupyterlab_without_jupyterlab_are_refused(clone, path):
    one_sentence(lab(clone, "--run", "--", "--port", "9", PATH=str(path)), "JupyterLab", code=2)


def test_python_is_missing(clone, path):
    (path / "python3").unlink()
    one_sentence(lab(clone, PATH=str(path)), "Python 3.10 or newer", "none was found", "apt install python3")


def test_python_is_too_old(clone, path):
    program(path, "python3", 'case "$2" in *print*) echo 3.9;; *) exit 1;; esac')
    one_sentence(lab(clone, PATH=str(path)), "Python 3.10 or newer", str(path / "python3"), "Python 3.9")


def test_a_newer_python_beside_an_old_one_is_taken(clone, path):
    program(path, "python3.12", f'exec "{sys.executable}" "$@"')
    program(path, "python3", 'case "$2" in *print*) echo 3.9;; *) exit 1;; esac')
    assert lab(clone, "--help", PATH=str(path)).returncode == 0


def test_java_is_missing(clone, path):
    one_sentence(lab(clone, "--setup", PATH=str(path)), "no Java was found", "JDK 17 or newer", "JAVA_HOME")


@pytest.mark.parametrize(("version", "feature"), [("1.8", "Java 8"), ("11", "Java 11")])
def test_java_is_too_old(clone, path, tmp_path, version, feature):
    home = fake_java(tmp_path, version)
    one_sentence(lab(clone, "--setup", PATH=str(path), JAVA_HOME=str(home)), str(home), feature, "JDK 17 or newer")


@pytest.mark.parametrize("jdk, modules", [(False, "jdk.jshell@17"), (True, "java.base@17")])
def test_a_runtime_is_no_jdk(clone, path, tmp_path, jdk, modules):
    home = fake_java(tmp_path, "17", jdk, modules)
    one_sentence(lab(clone, "--setup", PATH=str(path), JAVA_HOME=str(home)), str(home), "without its compiler and JShell")


@pytest.mark.parametrize("version, modules, wrong", [("11.0.2", "java.base jdk.jshell", "Java 11"), ("17.0.1", "java.base", "without its compiler and JShell")])
def test_a_java_that_describes_itself_is_not_started(clone, path, tmp_path, version, modules, wrong):
    home = fake_java(tmp_path, "11")
    program(home / "bin", "java", f": > '{tmp_path}/started'")
    (home / "release").write_text(f'JAVA_VERSION="{version}"\nMODULES="{modules}"\n')
    one_sentence(lab(clone, "--setup", PATH=str(path), JAVA_HOME=str(home)), str(home), wrong)
    assert not (tmp_path / "started").exists()


def test_java_home_leads_nowhere(clone, path):
    one_sentence(lab(clone, "--setup", PATH=str(path), JAVA_HOME="/nowhere"), "/nowhere/bin/java", "cannot be started")


def test_a_good_jdk_on_the_path_stands_in_for_a_bad_java_home(clone, path, tmp_path):
    good = fake_java(tmp_path, "17", modules="jdk.jshell@17")
    (path / "java").symlink_to(good / "bin" / "java")
    done = lab(clone, "--setup", PATH=str(path), JAVA_HOME=str(fake_java(tmp_path, "11")))
    one_sentence(done, "Maven was not found")


def test_maven_is_missing(clone, path, tmp_path):
    home = fake_java(tmp_path, "17", modules="jdk.jshell@17")
    one_sentence(lab(clone, "--setup", PATH=str(path), JAVA_HOME=str(home)), "Maven was not found", "apt install maven")


def test_ctrl_c_ends_it_in_one_sentence(clone, path, tmp_path):
    home = fake_java(tmp_path, "17", modules="jdk.jshell@17")
    begun = tmp_path / "begun"
    program(path, "mvn", f": > '{begun}'; exec {shutil.which('sleep')} 60")
    # A session of its own: like Ctrl-C in a terminal, the signal goes to the launcher and to what it started.
    variables = {"PATH": str(path), "JAVA_HOME": str(home)}
    running = subprocess.Popen(
        [clone / "notebooks" / "lab", "--setup"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=variables,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a build in the background ignores it, and so would all below
    )
    assert "Building" in running.stdout.readline()
    while not begun.exists():  # a signal between fork and exec would be lost
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert said.strip() == "lab: interrupted; run it again to resume"


def built(clone, tmp_path, path):
    """A clone with jars, a JDK for it, and a Python whose interpreter we may change."""
    home = fake_java(tmp_path, "17", modules="jdk.jshell@17")
    for jar in ("kernel/target/espalier-kernel.jar", "node-server/target/espalier-node.jar"):
        (clone / jar).parent.mkdir(parents=True)
        (clone / jar).touch()
    return {"PATH": str(path), "JAVA_HOME": str(home), "HOME": str(tmp_path)}


def test_jars_that_are_not_built_are_named(clone, path, tmp_path):
    home = fake_java(tmp_path, "17", modules="jdk.jshell@17")
    done = lab(clone, "--setup", "--no-build", PATH=str(path), JAVA_HOME=str(home))
    one_sentence(done, "espalier-kernel.jar", "is missing", "mvn package")


@pytest.mark.parametrize("module", ["ensurepip", "venv"])
def test_python_cannot_make_environments(clone, path, tmp_path, module):
    variables = built(clone, tmp_path, path)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / f"{module}.py").write_text(f"raise ModuleNotFoundError('hidden', name='{module}')\n")
    done = lab(clone, "--setup", "--no-build", PYTHONPATH=str(hidden), **variables)
    one_sentence(done, f"no module {module}", "apt install python3-venv")


def test_what_is_no_environment_is_left_alone(clone, path, tmp_path):
    variables = built(clone, tmp_path, path)
    mine = clone / ".venv" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    one_sentence(lab(clone, "--setup", "--no-build", **variables), ".venv", "move it away")
    assert mine.read_text() == "mine"


def test_without_a_network_setup_fails_and_leaves_no_finished_environment(clone, path, tmp_path):
    variables = built(clone, tmp_path, path)
    done = lab(clone, "--setup", "--no-build", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0", PIP_CONFIG_FILE=os.devnull, PIP_NO_CACHE_DIR="1", **variables)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("lab: pip could not install")
    assert "check the network and run this again" in done.stderr
    assert not (clone / ".venv" / "espalier-stamp").exists()
