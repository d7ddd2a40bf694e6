"""log.csv (a line every few steps) and measurements.jsonl of a run."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

from .evaluation import Measurement

COLUMNS = ("step", "tokens", "seconds", "rate", "loss", "mtp_loss", "gradient_norm", "tokens_per_second", "max_load", "min_load", "threads")


class Log:
    def __init__(self, folder: Path):
        self.folder = folder
        fresh = not (folder / "log.csv").exists()
        self.writer = csv.writer(open(folder / "log.csv", "a", buffering=1))
        if fresh:
            self.writer.writerow(COLUMNS)

    def step(self, **values) -> None:
        self.writer.writerow([values[column] for column in COLUMNS])

    def measurement(self, measured: Measurement, step: int, tokens: int, seconds: float, final: bool) -> None:
        record = {"step": step, "tokens": tokens, "seconds": round(seconds, 1), "final": final, "mean": measured.mean, **asdict(measured)}
        with open(self.folder / "measurements.jsonl", "a") as file:
            file.write(json.dumps(record) + "\n")


def last_line(file: Path) -> dict[str, float]:
    with open(file) as lines:
        *_, last = csv.DictReader(lines)
    return {name: float(value) for name, value in last.items() if value}
