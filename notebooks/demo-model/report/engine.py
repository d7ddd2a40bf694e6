"""The shipped checkpoint through Espalier's own engine, by its command line."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from corpus.sources import DOMAINS
from training.data import HeldOut
from training.evaluation import LENGTH, Measurement
from training.information import layer_report

JAR = Path(__file__).resolve().parents[3] / "node-server" / "target" / "espalier-node.jar"


WINDOW = 65  # tokens, of the project's own texts: as in notebooks/tests/test_demo.py


@dataclass(frozen=True)
class Node:
    jar: Path = JAR

    def run(self, *arguments: object) -> str:
        done = subprocess.run(["java", "-jar", self.jar, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"report: {done.stderr.strip()} (build it with mvn -q package -DskipTests if it is older than this folder)")
        return done.stdout

    def measure(self, model: Path, held: HeldOut, rows: int, folder: Path) -> Measurement:
        """The same rows that `training.evaluation.measure` takes; their tokens are left in the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for d, domain in enumerate(DOMAINS):
            ids, target = held.rows(d, LENGTH, rows)
            lines = [json.dumps([*row, last]) for row, last in zip(ids.tolist(), target[:, -1].tolist(), strict=True)]
            (folder / f"{domain}.jsonl").write_text("\n".join(lines) + "\n")
        files = [folder / f"{domain}.jsonl" for domain in DOMAINS]
        reports = [json.loads(line) for line in self.run("score", "--model", model, "--json", "--routing", *files).splitlines()]
        bits, labels, loads = {}, [], []
        for d, (domain, report) in enumerate(zip(DOMAINS, reports, strict=True)):
            bits[domain] = report["nats"] / report["tokens"] / LN2 / held.bytes_per_token[d]
            labels += [d] * len(report["rows"])
            loads += [row["load"] for row in report["rows"]]
        layers = reports[0]["layers"]
        routing = [{"layer": layer, **layer_report(labels, [load[i] for load in loads], len(DOMAINS))} for i, layer in enumerate(layers)]
        return Measurement(bits, routing)

    def texts(self, model: Path, folder: Path) -> dict[str, float]:
        """Bits per byte of the project's own texts, one file a domain."""
        files = [folder / f"{domain}.txt" for domain in DOMAINS]
        lines = self.run("score", "--model", model, "--json", "--window", WINDOW, *files).splitlines()
        return {domain: round(json.loads(line)["bitsPerByte"], 4) for domain, line in zip(DOMAINS, lines, strict=True)}

    def generate(self, model: Path, prompt: str, tokens: int, *sampling: object) -> str:
        """What follows the prompt; greedy where no sampling options are given."""
        report = self.run("run", "--model", model, "--prompt", prompt, "--json", "--predict", tokens, *sampling)
        return json.loads(report)["text"]

    def right_sums(self, model: Path, sums: dict[str, str]) -> int:
        answers = (self.generate(model, prompt, 6).strip().split("\n")[0] for prompt in sums)
        return sum(given == right for given, right in zip(answers, sums.values(), strict=True))


LN2 = 0.6931471805599453
