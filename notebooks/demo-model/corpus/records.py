"""Documents of the domain `data`: generated JSON and SQL, and the JSON of iso-codes."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from . import sql
from .document import Document
from .sources import RECORDS
from .vocabulary import CITIES, NAMES, THINGS

DEEPEST = 2  # a feature holds at most one more feature


def document(r: Random) -> str:
    if r.random() < 0.5:
        return sql.document(r)
    items: object = [value(r) for _ in range(r.randint(1, 6))]
    if r.random() < 0.5:
        items = {"count": len(items), "items": items}
    style = r.random()
    return json.dumps(items, indent=2 if style < 0.5 else 4 if style < 0.7 else None, ensure_ascii=False)


def value(r: Random, depth: int = 0) -> dict:
    kind = r.randrange(5)
    if kind == 0:
        return person(r)
    if kind == 1:
        return article(r)
    if kind == 2:
        return reading(r)
    if kind == 3 and depth < DEEPEST:
        inner = value(r, depth + 1)
        point = [round(r.uniform(-10, 20), 4), round(r.uniform(36, 58), 4)]
        return {"type": "Feature", "properties": inner, "geometry": {"type": "Point", "coordinates": point}}
    return settings(r)


def person(r: Random) -> dict:
    return {
        "id": r.randint(1, 99999),
        "name": f"{r.choice(NAMES)} {r.choice(NAMES)}son",
        "city": r.choice(CITIES),
        "active": r.random() < 0.5,
        "score": round(r.uniform(0, 100), 1),
    }


def article(r: Random) -> dict:
    return {
        "sku": f"{r.choice('ABC')}-{r.randint(1000, 9999)}",
        "title": f"{r.choice(THINGS)} for {r.choice(NAMES)}",
        "price": round(r.uniform(1, 500), 2),
        "currency": r.choice(["EUR", "USD", "GBP"]),
        "tags": r.sample(THINGS, r.randint(1, 3)),
    }


def reading(r: Random) -> dict:
    return {
        "sensor": f"{r.choice(['temp', 'hum', 'press'])}-{r.randint(1, 40)}",
        "time": f"{sql.date(r)}T{r.randint(0, 23):02}:{r.randint(0, 59):02}:00Z",
        "values": [round(r.gauss(20, 5), 2) for _ in range(r.randint(2, 6))],
    }


def settings(r: Random) -> dict:
    return {
        "version": f"{r.randint(0, 4)}.{r.randint(0, 20)}.{r.randint(0, 9)}",
        "enabled": r.random() < 0.5,
        "host": f"node{r.randint(1, 64)}.example.org",
        "port": r.choice([80, 443, 8080, 5432, 9090]),
        "limits": {"cpu": r.randint(1, 16), "memory": f"{r.choice([256, 512, 1024, 4096])}Mi"},
        "error": None,
    }


def iso_codes(unpacked: Path) -> Iterator[Document]:
    """Countries, languages, currencies: twenty entries a document."""
    for file in sorted((unpacked / RECORDS).rglob("*.json")):
        if "schema" in file.name:
            continue
        for entries in json.loads(file.read_text()).values():
            for i in range(0, len(entries), 20):
                yield Document(RECORDS, json.dumps(entries[i : i + 20], indent=2, ensure_ascii=False))
