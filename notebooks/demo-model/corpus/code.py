"""Java and Python sources from the unpacked packages, without their licence headers."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from .document import Document, tidy
from .sources import JAVA, JAVA_ACCEPTED, PYTHON

JAVA_MODULES = (
    "java.base", "java.desktop", "java.net.http", "java.sql", "java.logging", "java.xml", "jdk.compiler", "jdk.jshell",
    "jdk.httpserver",
)  # fmt: skip
NO_CODE = re.compile(r"/locale/|rubi/|/pydoc_data/|/encodings/")  # tables written as Python


def java(unpacked: Path) -> Iterator[Document]:
    sources = zipfile.ZipFile(next((unpacked / JAVA).rglob("src.zip")))
    for name in sorted(sources.namelist()):
        if not name.endswith(".java") or name.split("/")[0] not in JAVA_MODULES:
            continue
        text = sources.read(name).decode("utf-8", "replace")
        header = re.match(r"\s*(?:/\*.*?\*/\s*)+", text, flags=re.S)
        if header and JAVA_ACCEPTED.search(header[0]):
            yield Document(JAVA, tidy(re.sub(r"\A\s*/\*.*?\*/\s*", "", text, flags=re.S)))


def python(unpacked: Path) -> Iterator[Document]:
    for package in PYTHON:
        for file in sorted((unpacked / package).rglob("*.py")):
            if not NO_CODE.search(str(file)) and not file.is_symlink():
                text = file.read_bytes().decode("utf-8", "replace")
                yield Document(package, tidy(re.sub(r"\A(#.*\n)+", "", text)))
