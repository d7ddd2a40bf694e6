"""MODEL_CARD.md from what was measured."""

import json
from dataclasses import dataclass
from pathlib import Path

from training.evaluation import Measurement

from .samples import PROMPTS, TOKENS


@dataclass(frozen=True)
class Facts:
    config: dict  # config.json of the checkpoint
    sizes: dict[str, int]
    megabytes: float
    run: list[dict]  # the log's lines
    full: Measurement  # all held-out text, float weights, PyTorch
    bf16: Measurement  # rows of it, Espalier's engine
    four_bit: Measurement
    rows: int
    samples: dict[str, list[str]]


def card(facts: Facts) -> str:
    parts = (HEAD, sizes(facts), quality(facts), routing(facts), course(facts), LIMITS, samples(facts))
    return "\n".join(part if isinstance(part, str) else "\n".join(part) for part in parts)


HEAD = """# Demo model

A small mixture-of-experts language model with DeepSeek-V3's architecture that comes with Espalier: `%model load demo`,
`espalier-node run --model demo`. It is there to be looked at (its experts divide languages and syntaxes among themselves) and to test with. It
is no chat model, knows nothing, and continues text in the style of what it read: see [DATA_CARD.md](DATA_CARD.md). Written by
`python -m report`; [README.md](README.md) says how to make it anew.
"""

LIMITS = """## Limits

- It was trained for a short time on little text: sentences have a grammar, seldom a meaning; sums are mostly wrong.
- Four languages of software documentation, two programming languages, generated exercises and records. Nothing else.
- Trained on rows of 256 to 1,024 tokens; longer contexts were never seen.
- No instruction tuning, no chat template, no safety training; names in its output are invented or from documentation.
- No multi-token-prediction layer: it would have cost two fifths of the training time.
- Whether weights carry licences of the text they were trained on is unsettled: DATA_CARD.md names every source.
"""


def sizes(facts: Facts) -> list[str]:
    c = facts.config
    return [
        "## Size\n",
        f"{facts.sizes['parameters'] / 1e6:.1f} M parameters, {facts.sizes['active'] / 1e6:.1f} M used for a token (without the embedding table); "
        f"MLX 4 bits in groups of 64, {facts.megabytes:.1f} MB.\n",
        f"{c['num_hidden_layers']} layers, the first dense; hidden size {c['hidden_size']}; vocabulary {c['vocab_size']} (byte-level BPE, digits one by one); "
        f"{c['num_attention_heads']} heads of latent attention (ranks {c['q_lora_rank']} and {c['kv_lora_rank']}); "
        f"{c['n_routed_experts']} experts of width {c['moe_intermediate_size']}, {c['num_experts_per_tok']} a token, and a shared one twice as wide; "
        "sigmoid router, balanced by a bias in the choice alone, without an auxiliary loss; "
        f"context {c['max_position_embeddings']}.\n",
    ]


def quality(facts: Facts) -> list[str]:
    domains = list(facts.full.bits_per_byte)
    rows = [
        "## Held-out text, bits per byte\n",
        f"1 % of each domain was never trained on. bf16 and 4-bit: {facts.rows} rows of 512 tokens of each domain through Espalier's engine; first line: all of it, through PyTorch.\n",
        "| | mean | " + " | ".join(domains) + " |",
        "|---" * (len(domains) + 2) + "|",
    ]
    for name, measured in (("all held-out text, bf16 arithmetic", facts.full), ("bf16 weights", facts.bf16), ("4-bit weights (shipped)", facts.four_bit)):
        rows.append(f"| {name} | {measured.mean:.3f} | " + " | ".join(f"{measured.bits_per_byte[domain]:.3f}" for domain in domains) + " |")
    cost = facts.four_bit.mean / facts.bf16.mean - 1
    return [*rows, f"\nFour bits cost {cost:.1%} of the mean.\n"]


def routing(facts: Facts) -> list[str]:
    domains = list(facts.full.bits_per_byte)
    rows = [
        "## Routing of the shipped file\n",
        "Information that domain and expert share, in bits (at most 3), counted by Espalier's engine on the same rows; the control gives the rows' domains out at random. "
        "Dead: less than 5 % of the mean load.\n",
        "| layer | shared | shuffled | dead | largest load / mean | smallest | experts with half their load from one domain | most selective |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for layer in facts.four_bit.routing:
        columns = list(zip(*layer["table"], strict=True))
        share, domain, expert = max((max(column) / (sum(column) or 1), column.index(max(column)), e) for e, column in enumerate(columns))
        half = sum(max(column) >= 0.5 * sum(column) for column in columns)
        rows.append(
            f"| {layer['layer']} | {layer['mi']:.3f} | {layer['shuffled']:.3f} | {layer['dead']} | {layer['max_load']:.2f} | {layer['min_load']:.2f} "
            f"| {half} | {domains[domain]}: {share:.0%} of expert {expert} |"
        )
    return [*rows, "\n![share of each domain's tokens by expert](run/routing.svg)\n"]


def course(facts: Facts) -> list[str]:
    last = facts.run[-1]
    rate = sum(row["tokens_per_second"] for row in facts.run) / len(facts.run)
    return [
        "## Training\n",
        f"{last['tokens'] / 1e6:.2f} M tokens in {int(last['step'])} steps, {last['seconds'] / 60:.0f} minutes on two cores of a machine that had other work "
        f"(on average {rate:.0f} tokens/s); Muon and AdamW at 4e-3, constant, then falling to the end. Loss, load and tokens/s: [run/log.csv](run/log.csv), "
        "measurements on the way: [run/measurements.csv](run/measurements.csv).\n",
        "![loss](run/loss.svg)\n",
        "![held-out bits per byte](run/bits.svg)\n",
    ]


def samples(facts: Facts) -> list[str]:
    out = [f"## Samples\n\nUnedited: the shipped file through Espalier, temperature 0.8, top 40, {TOKENS} tokens, seeds 1, 2 and 3. `▌` ends what was given.\n"]
    for domain, texts in facts.samples.items():
        out.append(f"### {domain}\n")
        for prompt, text in zip(PROMPTS[domain], texts, strict=True):
            out.append(f"````\n{prompt}▌{text}\n````\n")
    return out


def read_config(checkpoint: Path) -> dict:
    return json.loads((checkpoint / "config.json").read_text())
