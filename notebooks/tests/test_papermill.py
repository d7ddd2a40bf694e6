"""The package's translator: papermill's parameters arrive in Java with their type and value."""

import json

import nbformat
import papermill
import pytest
from espalier.parameters import JavaTranslator, java, java_type

VALUES = {
    "pm_int": -7,
    "pm_least": -(2**31),
    "pm_long": 2**31,
    "pm_least_long": -(2**63),
    "pm_big": 2**63,
    "pm_float": 0.1,
    "pm_tiny": 5e-324,
    "pm_huge": 1e22,
    "pm_infinite": float("-inf"),
    "pm_not_a_number": float("nan"),
    "pm_yes": True,
    "pm_text": 'a "quoted" \\ back\\u0041slash\nnew line\ttab \x00 Grüße 日本 🌱 {pm_int} %magic',
    "pm_empty": "",
    "pm_long_text": "äb\n" * 30_000,
    "pm_nothing": None,
    "pm_ints": [1, 2, 3],
    "pm_mixed_ints": [1, 2**40],
    "pm_numbers": [1, 0.5],
    "pm_words": ["a", None, 'b"'],
    "pm_one_none": [None],
    "pm_anything": [1, "a", [True], {"k": None}],
    "pm_none": [],
    "pm_nested": {"rate": 0.5, "layers": [5, 6], "name": "x", "deep": {"a": {"b": [1.5]}}, "none": None},
    "pm_counts": {"z": 1, "a": 2},
}
TYPES = {
    "pm_int": "Integer",
    "pm_least": "Integer",
    "pm_long": "Long",
    "pm_least_long": "Long",
    "pm_big": "BigInteger",
    "pm_float": "Double",
    "pm_yes": "Boolean",
    "pm_text": "String",
}
DECLARED = {
    "pm_ints": "List<Integer>",
    "pm_mixed_ints": "List<Long>",
    "pm_numbers": "List<Double>",
    "pm_words": "List<String>",
    "pm_anything": "List<Object>",
    "pm_none": "List<Object>",
    "pm_nested": "Map<String, Object>",
    "pm_counts": "Map<String, Integer>",
    "pm_nothing": "Object",
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook that says what each of its parameters is, executed by papermill."""
    folder = tmp_path_factory.mktemp("papermill")
    said = "\n".join(f'pm_said.put("{name}", String.valueOf({name}));' for name in VALUES)
    types = "\n".join(f'pm_types.put("{name}", ((Object) {name}).getClass().getSimpleName());' for name in TYPES)
    check = (
        "var pm_json = new com.fasterxml.jackson.databind.ObjectMapper();\nvar pm_said = new TreeMap<String, String>();\n"
        "var pm_types = new TreeMap<String, String>();\n" + said + "\n" + types + "\n"
        'System.out.println(pm_json.writeValueAsString(List.of(pm_said, pm_types, pm_text, pm_long_text, pm_nested, pm_anything)));'
    )
    cells = [
        nbformat.v4.new_code_cell("int pm_int = 1; // how many\nString pm_text = \"\";", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(check),
    ]
    kernel = {"kernelspec": {"name": "espalier", "display_name": "Java (Espalier)", "language": "java"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "in.ipynb")
    done = papermill.execute_notebook(folder / "in.ipynb", folder / "out.ipynb", parameters=VALUES, progress_bar=False)
    return done, json.loads("".join(output.text for output in done.cells[-1].outputs if output.output_type == "stream"))


def test_numbers_and_words_arrive_as_they_are(executed):
    said, types, *_ = executed[1]
    assert types == TYPES
    for name in ("pm_int", "pm_least", "pm_long", "pm_least_long", "pm_big", "pm_float", "pm_empty"):
        assert said[name] == str(VALUES[name])
    assert (said["pm_infinite"], said["pm_not_a_number"], said["pm_yes"], said["pm_nothing"]) == ("-Infinity", "NaN", "true", "null")
    assert float(said["pm_tiny"]) == 5e-324 and float(said["pm_huge"]) == 1e22


def test_text_arrives_character_for_character(executed):
    _, _, text, long_text, *_ = executed[1]
    assert text == VALUES["pm_text"]
    assert long_text == VALUES["pm_long_text"]


def test_lists_and_dicts_keep_order_nothing_and_depth(executed):
    said, _, _, _, nested, anything = executed[1]
    assert said["pm_ints"] == "[1, 2, 3]" and said["pm_words"] == '[a, null, b"]' and said["pm_one_none"] == "[null]"
    assert said["pm_numbers"] == "[1.0, 0.5]" and said["pm_counts"] == "{z=1, a=2}"
    assert nested == VALUES["pm_nested"] and list(nested) == list(VALUES["pm_nested"])
    assert anything == VALUES["pm_anything"]


def test_the_injected_cell_is_readable_java(executed):
    injected = next(cell for cell in executed[0].cells if "injected-parameters" in cell.metadata.get("tags", []))
    lines = injected.source.splitlines()
    assert lines[0] == "// Parameters" and "int pm_int = -7;" in lines and "long pm_long = 2147483648L;" in lines
    assert 'BigInteger pm_big = new BigInteger("9223372036854775808");' in lines


@pytest.mark.parametrize("name", DECLARED)
def test_collections_have_the_narrowest_element_type(name):
    assert java_type(VALUES[name]) == DECLARED[name]


@pytest.mark.parametrize("name", ["class", "my-name", "1a", "_"])
def test_a_name_that_java_does_not_allow_is_refused(name):
    with pytest.raises(ValueError, match="cannot be a variable of Java"):
        JavaTranslator.codify({name: 1})


def test_what_has_no_java_form_is_refused():
    with pytest.raises(TypeError, match="no Java form"):
        java({1, 2})
    with pytest.raises(TypeError, match="string keys"):
        java({1: 2})


def test_declarations_of_the_parameters_cell_are_found():
    cell = nbformat.v4.new_code_cell('int n = 3; // how many\nfinal Map<String, List<Integer>> m = Map.of();\nString s = "a;b";\nn + 1')
    found = [(p.name, p.inferred_type_name, p.default, p.help) for p in JavaTranslator.inspect(cell)]
    assert found == [("n", "int", "3", "how many"), ("m", "Map<String, List<Integer>>", "Map.of()", ""), ("s", "String", '"a;b"', "")]
