"""One document and how its white space is made uniform."""

import re
from typing import NamedTuple


class Document(NamedTuple):
    package: str  # or "generated"
    text: str


def tidy(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\t", "    ").replace("\0", "").replace("\xad", "")
    text = re.sub(r"[ ]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
