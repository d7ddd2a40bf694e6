"""The study of the demo model's experts: every cell runs, and what the notebook states is what its cells compute."""

import re

import execute
import nbformat
import pytest
from place import NOTEBOOKS

DOMAINS = 8
EXPERTS = 64
CHOSEN = 4  # experts a token


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    target = tmp_path_factory.mktemp("expert-routing") / "expert-routing.ipynb"
    assert execute.execute(NOTEBOOKS / "expert-routing.ipynb", target) is None
    return {cell.id: cell for cell in nbformat.read(target, as_version=4).cells}


def shown(cell):
    return next(output.data["text/plain"] for output in cell.outputs if "data" in output)


def table(cell):
    """The rows of the table that a cell shows, as words."""
    return [line.split() for line in shown(cell).splitlines()[2:] if line.strip()]


def values(cell):
    """The values of the heatmap that a cell shows, by row and column."""
    spec = next(output.data["application/vnd.vegalite.v5+json"] for output in cell.outputs if "data" in output)
    return {(value["row"], value["column"]): value["value"] for value in spec["data"]["values"]}


def cost(cells, column):
    """By domain, how many bits more a token costs without some experts."""
    return {row[0]: float(row[1 + column]) - float(row[1]) for row in table(cells["silenced"])}


def test_the_notebook_is_kept_without_outputs():
    for cell in nbformat.read(NOTEBOOKS / "expert-routing.ipynb", as_version=4).cells:
        assert cell.cell_type != "code" or (cell.outputs == [] and cell.execution_count is None), cell.id


def test_no_cell_writes_an_error(cells):
    for cell in cells.values():
        if cell.cell_type == "code":
            assert [o for o in cell.outputs if o.output_type == "error" or o.get("name") == "stderr"] == [], cell.id
            assert cell.outputs, f"cell {cell.id} shows nothing"


def test_every_layer_tells_the_domains_apart(cells):
    rows = [[float(word) for word in row] for row in table(cells["information"])]
    assert [int(row[0]) for row in rows] == list(range(1, 8))
    for layer, bits, shuffled, guessed in rows:
        assert bits > 2 * shuffled, f"layer {layer:.0f}"
        assert guessed > 0.5, f"layer {layer:.0f}: blind guesses are right once in eight"


def test_the_picture_has_all_experts_of_a_layer_and_each_adds_up(cells):
    picture = values(cells["picture"])
    experts = {expert for _, expert in picture}
    assert len(experts) == EXPERTS and len(picture) == EXPERTS * DOMAINS
    for expert in experts:
        assert sum(share for (_, column), share in picture.items() if column == expert) == pytest.approx(1, abs=1e-3)


def test_without_the_german_experts_german_alone_is_guessed_worse(cells):
    german, others = cost(cells, 1), cost(cells, 2)
    of_german = german.pop("de")
    assert of_german > 0.5
    assert max(german.values()) < of_german / 4
    assert others["de"] < of_german / 4


def test_what_is_found_is_what_the_cells_compute(cells):
    information = [[float(word) for word in row] for row in table(cells["information"])]
    bits, shuffled = [row[1] for row in information], [row[2] for row in information]
    crosstab = table(cells["confusion"])
    right = sum(int(row[1 + i]) for i, row in enumerate(crosstab[:DOMAINS]))
    overlap = values(cells["overlap"])
    german, java = ([float(word) for word in table(cells[name])[0][-2:]] for name in ("selectivity", "java-experts"))
    silenced, others, banned = cost(cells, 1), cost(cells, 2), shown(cells["german-experts"])
    stated = {
        r"share (\d\.\d\d) to (\d\.\d\d) bits": (min(bits), max(bits)),
        r"shuffled (\d\.\d\d) to (\d\.\d\d)": (min(shuffled), max(shuffled)),
        r"(\d+) of (\d+) pieces": (right, int(crosstab[-1][-1])),
        r"most German expert.*?(\d+) %.*?for (\d+) %": (100 * german[1], 100 * CHOSEN * german[0]),
        r"most Java.*?(\d+) %.*?only (\d+) %": (100 * java[1], 100 * CHOSEN * java[0]),
        r"Java and Python.*?(\d+) %": (100 * overlap["java", "python"],),
        r"French and Spanish.*?(\d+) %": (100 * overlap["fr", "es"],),
        r"English and German.*?(\d+) %": (100 * overlap["en", "de"],),
        r"English and Python.*?(\d+) %": (100 * overlap["en", "python"],),
        r"Without those (\d+) \(of (\d+)\)": (sum(len(layer.split(",")) for layer in re.findall(r"\[(.+?)\]", banned)), 7 * EXPERTS),
        r"German costs (\d\.\d) bits more": (silenced.pop("de"),),
    }
    finding = " ".join(cells["finding"].source.split())
    for pattern, computed in stated.items():
        found = re.search(pattern, finding)
        assert found, pattern
        # another machine may round a choice the other way: one of the last figure
        tolerance = [1.1 * 10 ** -len(figure.partition(".")[2]) for figure in found.groups()]
        for figure, value, near in zip(found.groups(), computed, tolerance, strict=True):
            assert float(figure) == pytest.approx(value, abs=near), f"{pattern}: the cells compute {value}"
    bounds = {r"any other text less than (\d\.\d)": max(silenced.values()), r"German changes by less than (\d\.\d)": abs(others["de"])}
    for pattern, computed in bounds.items():
        assert computed < float(re.search(pattern, finding).group(1)), pattern
