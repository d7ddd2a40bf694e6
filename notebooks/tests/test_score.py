"""How well a model predicts a text, in a cell: bits by token, with and without some experts."""

import re

import pytest
from place import NOTEBOOKS

GERMAN = """
LayerEdit[] scoreGerman = {LayerEdit.of(2).banning(24), LayerEdit.of(3).banning(19, 54), LayerEdit.of(4).banning(3, 51),
        LayerEdit.of(5).banning(19, 36, 55), LayerEdit.of(6).banning(13, 31, 46, 62), LayerEdit.of(7).banning(8, 18, 24, 40, 57)};
"""
TEXT = "Klicken Sie auf die Datei, um sie zu öffnen."


@pytest.fixture(scope="module")
def book(shared):
    shared.ok("%model load demo")
    yield shared
    shared.ok("%model unload")


def bits(cell):
    return float(re.fullmatch(r"(\d+\.\d\d) ± \d+\.\d\d bits a token, \d+ tokens", cell.result)[1])


def test_a_score_reads_well_and_changes_with_the_experts(book):
    plain = bits(book.ok(f'cluster.score("{TEXT}")'))
    assert 1 < plain < 13  # guessing blindly costs 13, log2 of 8192
    book.ok(GERMAN)
    manual = '"' + " ".join((NOTEBOOKS / "texts" / "unseen" / "de-manual.txt").read_text().split())[:400] + '"'
    german = book.ok(f"cluster.score({manual}, scoreGerman).minus(cluster.score({manual}))")
    more, error = map(float, german.result.split(" ± "))
    assert more > 0.8 and 0.1 < error < 0.5  # 1.65 ± 0.15 of the whole text
    assert book.ok(f'Score scoreOfTest = cluster.score("{TEXT}"); scoreOfTest.minus(scoreOfTest)').result == "0.00 ± 0.00"


def test_the_tokens_of_a_score_are_the_text(book):
    assert book.ok(f'cluster.score("{TEXT}").table().stringColumn("text").asList().stream().collect(Collectors.joining())').result == TEXT
    rows = book.ok(f'cluster.score("{TEXT}").table().columnNames()')
    assert rows.result == "[position, token, text, bits]"


def test_a_score_touches_no_generation(book):
    book.ok("%generate --raw --max-tokens 4 Die Datei")
    before = book.ok("cluster.lastGeneration().orElseThrow().tokens()").result
    book.ok(f'cluster.score("{TEXT}")')
    assert book.ok("cluster.lastGeneration().orElseThrow().tokens()").result == before


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('cluster.score("")', "the text is empty: there is nothing to score"),
        ("cluster.score(new int[] {7})", "of 1 token none has another one before it; give at least 2"),
        ('cluster.score("ein ".repeat(1100))', r"the prompt has \d{4,5} tokens, but the model's context holds 1024"),
        (f'cluster.score("{TEXT}", LayerEdit.of(0).banning(1))', r"layer 0: the layers with experts are \[1, 2, 3, 4, 5, 6, 7\]"),
    ],
)
def test_what_cannot_be_scored_is_said(book, code, message):
    cell = book.run(code)
    assert cell.status == "error"
    assert re.search(message, cell.error + cell.traceback)
