"""The first notebook that a user sees, run as ./notebooks/lab --run runs it: every cell, and what it shows."""

import execute
import nbformat
import pytest
from place import NOTEBOOKS

# What transformers computes for this question on the same file, greedily.
ANSWER = "The capital of France is Paris.\n"


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    target = tmp_path_factory.mktemp("quickstart") / "quickstart.ipynb"
    assert execute.execute(NOTEBOOKS / "quickstart.ipynb", target) is None
    return {cell.id: cell for cell in nbformat.read(target, as_version=4).cells}


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def shown(cell):
    """The plain form of everything that a cell displays or returns."""
    return "\n".join(output.data.get("text/plain", "") for output in cell.outputs if "data" in output)


def test_the_notebook_is_kept_without_outputs():
    for cell in nbformat.read(NOTEBOOKS / "quickstart.ipynb", as_version=4).cells:
        assert cell.cell_type != "code" or (cell.outputs == [] and cell.execution_count is None), cell.id


def test_no_cell_writes_an_error(cells):
    for cell in cells.values():
        if cell.cell_type == "code":
            assert [o for o in cell.outputs if o.output_type == "error" or o.get("name") == "stderr"] == [], cell.id
            assert cell.outputs, f"cell {cell.id} shows nothing"


def test_the_model_answers_on_a_node_of_the_notebook(cells):
    assert "30 layers on 1 node" in shown(cells["load"])
    assert printed(cells["generate"]) == ANSWER
    assert "1 node" in shown(cells["generate"])


def test_two_node_processes_hold_half_each_and_answer_the_same(cells):
    assert "local-1" in shown(cells["cluster"]) and "local-2" in shown(cells["cluster"])
    assert "30 layers on 2 nodes" in shown(cells["load-two"])
    assert "0 to 14" in shown(cells["split"]) and "15 to 29" in shown(cells["split"])
    assert shown(cells["nodes"]).count("SmolLM2") >= 2  # held by each, and the ring's name
    assert printed(cells["generate-two"]) == ANSWER
    assert "2 nodes" in shown(cells["generate-two"])


def test_the_experts_are_drawn(cells):
    assert "24 tokens" in shown(cells["generate-moe"])
    heatmap = cells["experts"].outputs[-1].data
    assert {"application/vnd.vegalite.v5+json", "image/svg+xml", "text/plain"} <= set(heatmap)
    for layer in range(1, 8):  # layer 0 is dense
        assert f"layer   {layer}" in heatmap["text/plain"]


def test_java_sees_the_cluster_and_the_trace(cells):
    for column in ("position", "layer", "expert", "weight"):
        assert column in shown(cells["trace"])
    assert "Mean [weight]" in shown(cells["weights"])
    assert shown(cells["generation"])
