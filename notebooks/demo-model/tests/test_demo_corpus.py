"""The corpus' text: cleaning, generators, splitting. Needs no packages."""

import json
import re
from random import Random

import pytest

from corpus import arithmetic, assemble, markup, records, roff, sources, sql
from corpus.document import Document, tidy
from corpus.generated import generated
from corpus.prose import spoken


def test_a_manual_page_becomes_plain_text():
    page = '.\\" a comment\n.TH CAT 1\n.SH NAME\ncat \\- join \\fIfiles\\fR\n.PP\nReads\n.BR "stdin" (3)\nand \\(aqwrites\\(aq.'
    assert tidy(roff.plain(page)) == "NAME\n\ncat - join files\n\nReads stdin(3) and 'writes'."


def test_html_keeps_preformatted_lines_and_drops_scripts_and_navigation():
    page = (
        "<html><head><title>x</title></head><body><div class='toc'></div><script>var a;</script><p>One &amp;\n two</p>"
        '<pre>a\n  <b>b</b></pre><table class="navfooter"><tr><td>next</td></tr></table></body></html>'
    )
    assert [line for line in markup.plain(page).split("\n") if line] == ["One & two", "a", "  b"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The name of the file is read and it is in the list of the names.", "en"),
        ("Der Name der Datei ist nicht bekannt und die Liste ist leer.", "de"),
        ("Le nom de la liste est dans une page et les mots des pages.", "fr"),
        ("El nombre de los archivos que una lista tiene para el uso.", "es"),
        ("0x1f 0x2e 0x3d " * 40, None),
    ],
)
def test_the_language_is_told_by_its_function_words(text, language):
    assert spoken(text) == language


def test_every_sum_is_right():
    lines = [line for seed in range(300) for line in arithmetic.document(Random(seed)).split("\n")]
    checked = 0
    for line in lines:
        match = re.fullmatch(r"(-?\d+) ([-+*]) (-?\d+) = (-?\d+)", line)
        if match:
            a, sign, b, result = match.groups()
            assert int(result) == {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[sign], line
            checked += 1
    assert checked > 500


def test_every_solved_equation_holds():
    pairs = re.findall(r"Solve (\d+)x ([-+]) (\d+) = (-?\d+)\.\n.*\nx = \S+ / \d+ = (-?\d+)", all_of(arithmetic.document))
    assert len(pairs) > 100
    assert all(int(a) * int(x) + int(sign + b) == int(c) for a, sign, b, c, x in pairs)


def test_json_is_json_and_sql_ends_with_a_semicolon():
    kinds = set()
    for seed in range(300):
        text = records.document(Random(seed))
        if text[0] in "[{":
            json.loads(text)
            kinds.add("json")
        else:
            assert all(statement.endswith(";") for statement in text.split("\n\n"))
            assert text.split()[0] in {"CREATE", "INSERT", "SELECT", "UPDATE", "DELETE"}
            kinds.add("sql")
    assert kinds == {"json", "sql"}


def test_generators_make_the_same_documents_every_time():
    first, second = (list(generated("math", 20_000)) for _ in range(2))
    assert first == second
    assert sum(len(document.text.encode()) + 1 for document in first) >= 20_000
    assert len({sql.document(Random(seed)) for seed in range(50)}) == 50


def test_a_document_is_held_out_or_trained_on_and_none_comes_twice():
    texts = [f"document number {i} says " + "word " * (i % 50 + 20) for i in range(400)]
    found = [Document("p", text) for text in texts + texts]
    chosen = assemble.select(found, "math", set())
    train, held = assemble.split(chosen)
    assert sorted(document.text for document in train + held) == sorted(texts)
    assert not set(train) & set(held)
    total = sum(map(assemble.size, chosen))
    assert 0.01 * total <= sum(map(assemble.size, held)) <= 0.02 * total
    assert assemble.select(reversed(found), "math", set()) == chosen


def test_a_paragraph_seen_before_is_dropped_and_a_heading_is_not():
    menu, heading = "the same menu on every page " * 5, "Options"
    pages = [f"{menu}\n\n{heading}\n\n" + f"text of page {i} " * 10 for i in range(5)]
    chosen = assemble.select([Document("p", page) for page in pages], "en", set())
    assert sum(menu in document.text for document in chosen) == 1
    assert all(heading in document.text for document in chosen)


def test_a_long_document_is_cut_at_a_line_end():
    text = "\n".join(f"line {i}" for i in range(10_000))
    cut = list(assemble.parts(text))
    assert all(len(part) <= assemble.LONGEST for part in cut)
    assert "\n".join(cut) == text


def test_every_package_has_a_licence_and_none_is_left_out():
    for package in sources.packages():
        assert sources.licence(package)
        assert not re.match(r"gimp-help|debian-faq|gnome-user-docs|installation-guide|git-doc", package)


@pytest.mark.parametrize(
    "comment",
    [
        "SPDX-License-Identifier: Linux-man-pages-copyleft",
        "%%%LICENSE_START(VERBATIM_ONE_PARA)",
        "SPDX-License-Identifier: BSD-4-Clause-UC",
        "under the terms of the GNU Free Documentation License",
        "SPDX-License-Identifier: GPL-2.0-only",
    ],
)
def test_manual_pages_under_these_licences_are_refused(comment):
    assert sources.MANUAL_PAGE_REFUSED.search(comment)
    assert not sources.MANUAL_PAGE_REFUSED.search("SPDX-License-Identifier: GPL-2.0-or-later")


def all_of(maker):
    return "\n\n".join(maker(Random(seed)) for seed in range(300))
