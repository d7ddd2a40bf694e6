"""Documents in one human language from the unpacked packages."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from . import markup, roff
from .document import Document, tidy
from .sources import MANUAL_PAGE_REFUSED, PROSE

FOLDERS = {"en": ("en", "en-US", "C", "en.amd64"), "de": ("de", "de-DE"), "fr": ("fr", "fr-FR"), "es": ("es", "es-ES")}
FUNCTION_WORDS = {
    "en": " the | and | of | to | is | in ",
    "de": " der | die | und | das | ist | nicht ",
    "fr": " le | la | les | des | est | une ",
    "es": " el | los | las | que | una | para ",
}
NO_TEXT = re.compile(r"genindex|search\.html|/apa?\d*\.html|whatsnew/changelog|bk0|/ix01")  # indexes, licences, lists of changes


def prose(language: str, unpacked: Path) -> Iterator[Document]:
    for package in PROSE[language]:
        for file in files(language, unpacked / package):
            raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            text = raw.decode("utf-8", "replace")
            manual_page = "/man/" in str(file)
            if "\ufffd" in text or (manual_page and MANUAL_PAGE_REFUSED.search(text)):
                continue
            text = tidy((roff if manual_page else markup).plain(text))
            if spoken(text) == language:
                yield Document(package, text)


def files(language: str, root: Path) -> Iterator[Path]:
    """Manual pages and HTML pages of one language inside one package, sorted."""
    for file in sorted(root.rglob("*")):
        if file.is_symlink() or not file.is_file():
            continue
        path = str(file.relative_to(root))
        if "/man/" in path and path.endswith(".gz"):
            yield file
        elif re.search(r"\.x?html?(\.gz)?$", path) and not NO_TEXT.search(path):
            if "debian-handbook" in path and not set(path.split("/")) & set(FOLDERS[language]):
                continue
            suffix = re.search(r"\.([a-z]{2}(?:-[a-z]{2})?)\.html$", path)  # page.de.html
            if not suffix or suffix[1].split("-")[0] == language:
                yield file


def spoken(text: str) -> str | None:
    """The language whose function words are most frequent: translated packages keep some pages in English. None for hardly any."""
    text = " " + text.lower().replace("\n", " ") + " "
    counts = {language: len(re.findall(f"(?=({words}))", text)) for language, words in FUNCTION_WORDS.items()}
    best = max(counts, key=counts.get)
    return best if counts[best] * 250 > len(text) else None  # one function word in 250 characters is little
