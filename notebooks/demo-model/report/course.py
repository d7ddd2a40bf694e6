"""The course of a run: its log thinned for the repository, after the lines of the run that it went on from."""

import csv
import json
from itertools import pairwise
from pathlib import Path

GROUP = 20  # steps that share a line of the thinned log


def first_step(run: Path) -> int:
    with open(run / "log.csv") as file:
        return int(next(csv.DictReader(file))["step"])


def log(run: Path) -> list[dict[str, float]]:
    """Means over GROUP steps, more in the last line; `max_load` and `min_load` are the extremes."""
    with open(run / "log.csv") as file:
        rows = [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]
    ends = [*range(GROUP, len(rows) - GROUP, GROUP), len(rows)]
    return [mean(rows[start:end]) for start, end in pairwise([0, *ends])]


def mean(rows: list[dict[str, float]]) -> dict[str, float]:
    last = rows[-1]
    out = {key: last[key] for key in ("step", "tokens", "seconds", "rate")}
    for key in ("loss", "gradient_norm", "tokens_per_second", "threads"):
        values = [row[key] for row in rows if key in row]
        out[key] = round(sum(values) / len(values), 3) if values else 0.0
    return {**out, "max_load": max(row["max_load"] for row in rows), "min_load": min(row["min_load"] for row in rows)}


def measurements(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "measurements.jsonl").read_text().splitlines()]


def joined(older: Path, rows: list[dict], first: int) -> list[dict]:
    """The lines of an older file before the run's first step, then the run's own: it may have gone on from a checkpoint."""
    with open(older) as file:
        before = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return [row for row in before if row["step"] < first] + rows


def write(rows: list[dict], file: Path) -> None:
    with open(file, "w", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: int(value) if value == int(value) else value for key, value in row.items()} for row in rows)
