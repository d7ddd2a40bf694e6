"""All documents of a domain to its training and held-out text: no duplicates, no overlong document, 1 % held out."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import code, records
from .document import Document
from .generated import generated
from .prose import prose
from .sources import DOMAINS, PROSE

BYTES = 14_000_000  # kept of each domain, so that none outweighs the others
GENERATED = BYTES * 4 // 7  # of `math` and `data`: their text is simpler than any language
LONGEST = 24_000  # characters: longer documents are cut at a line end, so that no single one dominates
SHORTEST = 60
HELD_OUT = 0.01
HELD_OUT_BYTES = 140_000  # at most: does not grow with BYTES, so that a larger corpus keeps its held-out text


def documents(domain: str, unpacked: Path) -> Iterator[Document]:
    if domain in PROSE:
        return prose(domain, unpacked)
    if domain == "java":
        return code.java(unpacked)
    if domain == "python":
        return code.python(unpacked)
    return iter([*generated(domain, GENERATED), *(records.iso_codes(unpacked) if domain == "data" else ())])


def assemble(work: Path) -> None:
    """Writes work/text/DOMAIN.{train,held}, documents separated by NUL, and work/corpus.json with counts of bytes by package."""
    (work / "text").mkdir(exist_ok=True)
    report, seen = {}, set()
    for domain in DOMAINS:
        chosen = select(documents(domain, work / "x"), domain, seen)
        train, held = split(chosen)
        for part, texts in (("train", train), ("held", held)):
            (work / "text" / f"{domain}.{part}").write_text("\0".join(document.text for document in texts))
        report[domain] = {"train": by_package(train), "held": by_package(held)}
        print(domain, sum(report[domain]["train"].values()), "bytes", sum(report[domain]["held"].values()), "held out", flush=True)
    (work / "corpus.json").write_text(json.dumps(report, indent=1) + "\n")


def select(found: Iterable[Document], domain: str, seen: set[bytes]) -> list[Document]:
    """Distinct documents in the order of their hashes, a shuffle that is the same every time."""
    distinct: dict[bytes, Document] = {}
    for document in found:
        for part in parts(document.text):
            distinct.setdefault(hashlib.sha1(part.encode()).digest(), Document(document.package, part))
    ordered = [distinct[digest] for digest in sorted(distinct)]
    if domain not in ("math", "data"):
        ordered = [Document(document.package, unseen(document.text, domain in PROSE, seen)) for document in ordered]
    return [document for document in ordered if len(document.text) >= SHORTEST]


def parts(text: str) -> Iterator[str]:
    while len(text) > LONGEST:
        cut = text.rfind("\n", 0, LONGEST)
        cut = cut if cut > LONGEST // 2 else LONGEST
        yield text[:cut]
        text = text[cut:].lstrip("\n")
    if len(text) >= SHORTEST:
        yield text


def unseen(text: str, by_paragraph: bool, seen: set[bytes]) -> str:
    """Without the paragraphs (of code: empty if the whole file) that came before: menus, notices, pages in two packages."""
    kept = []
    for paragraph in text.split("\n\n") if by_paragraph else [text]:
        key = hashlib.blake2b(re.sub(r"\s+", " ", paragraph).encode(), digest_size=8).digest()
        if len(paragraph) > 80 and key in seen:  # short ones are headings
            continue
        seen.add(key)
        kept.append(paragraph)
    return "\n\n".join(kept)


def split(chosen: list[Document]) -> tuple[list[Document], list[Document]]:
    """Training and held-out documents: the first 1 % of the bytes is held out, and what goes over BYTES is not used."""
    held_bytes = min(sum(map(size, chosen)) * HELD_OUT, HELD_OUT_BYTES)
    train, held, used, held_used = [], [], 0, 0
    for document in chosen:
        if used > BYTES:
            break
        used += size(document)
        if held_used < held_bytes:
            held_used += size(document)
            held.append(document)
        else:
            train.append(document)
    return train, held


def size(document: Document) -> int:
    return len(document.text.encode())


def by_package(chosen: list[Document]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for document in chosen:
        counts[document.package] += size(document)
    return dict(sorted(counts.items()))
