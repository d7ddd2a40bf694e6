"""Documents that need no source: from a seed of their own, so that every run makes the same ones."""

from collections.abc import Iterator
from random import Random

from . import arithmetic, records
from .document import Document

MAKERS = {"math": arithmetic.document, "data": records.document}


def generated(domain: str, size: int) -> Iterator[Document]:
    """Until `size` bytes are there."""
    r, made = Random(f"{domain}-1"), 0
    while made < size:
        text = MAKERS[domain](r)
        made += len(text.encode()) + 1
        yield Document("generated", text)
