"""The command line of the node on the tiny models: logits, ids and routing equal to what transformers computed."""

import json
import os
import subprocess
from pathlib import Path

import jars
import jdk
import pytest
from place import ROOT

MODELS = ROOT / "models" / "src" / "test" / "resources" / "models"
LAYOUTS = {
    "deepseek_v3-tiny/hf": "golden.json",
    "deepseek_v3-tiny/mlx4": "golden_mlx4.json",
    "llama-tiny/hf": "golden.json",
    "llama_gguf-tiny/gguf/model.gguf": "golden.json",
}
LOGITS, WEIGHTS = 2e-4, 1e-4
BRIEF = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # half the processor time for processes that live a second, those that they start too


@pytest.fixture(scope="session")
def java():
    return str(Path(jdk.find(), "bin", "java"))


def node(java, *arguments):
    env = {**os.environ, "JAVA_TOOL_OPTIONS": BRIEF}
    return subprocess.run([java, "-jar", jars.NODE, *map(str, arguments)], capture_output=True, text=True, timeout=120, env=env)


def golden(model):
    return json.loads((MODELS / model.split("/")[0] / LAYOUTS[model]).read_text())


def run(java, model, *arguments):
    done = node(java, "run", "--model", MODELS / model, "--temperature", 0, "--precision", "float32", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def tokens(prompt):
    ids = ",".join(map(str, prompt["prompt_ids"]))
    return "--tokens", ids, "--predict", len(prompt["greedy_ids"]), "--ignore-eos", "--logits", "--routing"


def compare(got, want):
    assert got["promptTokens"] == want["prompt_ids"]
    assert got["tokens"] == want["greedy_ids"]
    assert got["finish"] == "length"
    assert got["logits"] == pytest.approx(want["last_logits"], abs=LOGITS)
    mine = {str(layer["layer"]): layer for layer in got.get("routing") or []}
    for layer, routed in (want["routing"] or {}).items():
        for ids, weights, row_ids, row_weights in zip(
            routed["expert_ids"], routed["weights"], mine[layer]["experts"], mine[layer]["weights"], strict=False
        ):
            pairs = sorted(zip(row_ids, row_weights, strict=True))
            assert [pair[0] for pair in pairs] == ids
            assert [pair[1] for pair in pairs] == pytest.approx(weights, abs=WEIGHTS)
        assert len(mine[layer]["experts"]) == len(want["prompt_ids"]) + len(want["greedy_ids"]) - 1


@pytest.mark.parametrize("prompt", [0, 1])
@pytest.mark.parametrize("model", LAYOUTS)
def test_one_node(java, model, prompt):
    want = golden(model)["prompts"][prompt]
    got = run(java, model, *tokens(want))
    compare(got, want)


@pytest.mark.parametrize("nodes", [2, 3])
@pytest.mark.parametrize("model", LAYOUTS)
def test_several_nodes(java, model, nodes):
    want = golden(model)["prompts"][0]
    got = run(java, model, "--nodes", nodes, *tokens(want))
    compare(got, want)


def test_a_model_that_is_not_there_is_one_sentence(java, tmp_path):
    done = node(java, "run", "--model", tmp_path / "nowhere", "--tokens", "1", "--predict", 1, "--json")
    assert done.returncode != 0 and done.stdout == ""
    assert str(tmp_path / "nowhere") in done.stderr and "\tat " not in done.stderr
