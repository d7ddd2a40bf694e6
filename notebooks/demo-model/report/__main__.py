"""`python -m report --work W --run shipped --bf16 W/hf --model ../../models/demo`: MODEL_CARD.md, run/*.csv and run/*.svg, and what
notebooks/tests/test_demo.py expects (demo_bits_per_byte.json).

Rebuild the corpus first (`python -m corpus all --work W`) to repeat the figures from the packages alone.
"""

import argparse
import json
from pathlib import Path

from corpus.sources import DOMAINS
from model.config import Config
from model.deepseek import Model
from training.data import HeldOut
from training.evaluation import Measurement

from . import course, svg
from .card import Facts, card, read_config
from .engine import JAR, Node
from .samples import PROMPTS, TEMPERATURE, TOKENS, TOP_K, sums

FOLDER = Path(__file__).resolve().parents[1]
MILLIONS = "million tokens"
SUMS = 40
TEXTS = FOLDER.parent / "texts"
EXPECTED = FOLDER.parent / "tests" / "demo_bits_per_byte.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m report", description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--run", default="shipped")
    parser.add_argument("--bf16", type=Path, required=True, help="the exported Hugging Face directory")
    parser.add_argument("--model", type=Path, required=True, help="the 4-bit checkpoint")
    parser.add_argument("--rows", type=int, default=16, help="of 512 tokens, of each domain")
    parser.add_argument("--jar", type=Path, default=JAR)
    chosen = parser.parse_args()
    run, held, node = chosen.work / chosen.run, HeldOut(chosen.work), Node(chosen.jar)
    first, measured = course.first_step(run), course.measurements(run)
    steps = course.joined(FOLDER / "run" / "log.csv", course.log(run), first)
    course.write(steps, FOLDER / "run" / "log.csv")
    facts = Facts(
        config=read_config(chosen.model),
        sizes=Model(Config()).sizes(),
        megabytes=sum(file.stat().st_size for file in chosen.model.iterdir()) / 1e6,
        run=steps,
        first=first,
        full=Measurement(measured[-1]["bits_per_byte"], measured[-1]["routing"]),
        bf16=node.measure(chosen.bf16, held, chosen.rows, chosen.work / "rows"),
        four_bit=node.measure(chosen.model, held, chosen.rows, chosen.work / "rows"),
        rows=chosen.rows,
        drafts=json.loads((run / "mtp.json").read_text()) if (run / "mtp.json").exists() else None,
        samples={
            domain: [node.generate(chosen.model, prompt, TOKENS, *sampling(seed)) for seed, prompt in enumerate(prompts, 1)]
            for domain, prompts in PROMPTS.items()
        },
        sums=SUMS,
        right_sums=node.right_sums(chosen.model, sums(SUMS)),
    )
    draw(facts, on_the_way(measured, first))
    EXPECTED.write_text(json.dumps(node.texts(chosen.model, TEXTS), indent=1) + "\n")
    (FOLDER / "MODEL_CARD.md").write_text(card(facts))


def sampling(seed: int) -> tuple:
    return "--seed", seed, "--temperature", TEMPERATURE, "--top-k", TOP_K


def on_the_way(measured: list[dict], first: int) -> list[dict]:
    """Each measurement as a line of measurements.csv, which is written."""
    lines = [
        {"step": m["step"], "tokens": m["tokens"], "seconds": m["seconds"], "all": int(m["final"]), "mean": round(m["mean"], 4)}
        | {domain: round(bits, 4) for domain, bits in m["bits_per_byte"].items()}
        | {f"shared_{layer['layer']}": round(layer["mi"], 3) for layer in m["routing"]}
        | {"dead": sum(layer["dead"] for layer in m["routing"])}
        for m in measured
    ]
    lines = course.joined(FOLDER / "run" / "measurements.csv", lines, first)
    course.write(lines, FOLDER / "run" / "measurements.csv")
    return lines


def draw(facts: Facts, measured: list[dict]) -> None:
    loss = {"loss": [(row["tokens"] / 1e6, row["loss"]) for row in facts.run]}
    same_rows = [m for m in measured if not m["all"]]
    bits = {name: [(m["tokens"] / 1e6, m[name]) for m in same_rows] for name in (*DOMAINS, "mean")}
    (FOLDER / "run" / "loss.svg").write_text(svg.lines("Training loss, nats a token", MILLIONS, loss, [1, 2, 3, 4, 5, 6], 5))
    (FOLDER / "run" / "bits.svg").write_text(svg.lines("Held-out bits per byte", MILLIONS, bits, [0, 0.5, 1, 1.5, 2, 2.5, 3], 5))
    (FOLDER / "run" / "routing.svg").write_text(svg.routing(facts.four_bit.routing, list(DOMAINS)))


if __name__ == "__main__":
    main()
