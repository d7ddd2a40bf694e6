"""MODEL_CARD.md from what was measured."""

import json
from dataclasses import dataclass
from pathlib import Path

from training.evaluation import Measurement

from .samples import PROMPTS, TEMPERATURE, TOKENS, TOP_K


@dataclass(frozen=True)
class Facts:
    config: dict  # config.json of the checkpoint
    sizes: dict[str, int]
    megabytes: float
    run: list[dict]  # the log's lines
    first: int  # step of the last run; the lines before are of the run that it went on from
    full: Measurement  # all held-out text, PyTorch
    bf16: Measurement  # rows of it, Espalier's engine
    four_bit: Measurement
    rows: int
    drafts: dict | None  # mtp.json, where mtp.py ran
    samples: dict[str, list[str]]
    sums: int  # that it was asked
    right_sums: int


def card(facts: Facts) -> str:
    return "\n".join((HEAD, sizes(facts), quality(facts), routing(facts), course(facts), drafts(facts), limits(facts), samples(facts)))


HEAD = """# Demo model

A small mixture-of-experts language model with DeepSeek-V3's architecture that comes with Espalier: `%model load demo`,
`espalier-node run --model demo`. It is there to be looked at (its experts divide languages and syntaxes among themselves) and to test with. It
is no chat model, knows nothing, and continues text in the style of what it read: see [DATA_CARD.md](DATA_CARD.md). Written by
`python -m report`; [README.md](README.md) says how to make it anew.
"""


def sizes(facts: Facts) -> str:
    c, million = facts.config, {name: f"{n / 1e6:.1f} M" for name, n in facts.sizes.items()}
    return f"""## Size

{million["parameters"]} parameters, {million["active"]} used for a token (without the embedding table); MLX 4 bits in groups of 64,
{facts.megabytes:.1f} MB.

{c["num_hidden_layers"]} layers, the first dense; hidden size {c["hidden_size"]}; vocabulary {c["vocab_size"]} (byte-level BPE, digits one by one);
{c["num_attention_heads"]} heads of latent attention (ranks {c["q_lora_rank"]} and {c["kv_lora_rank"]}); {c["n_routed_experts"]} experts of width \
{c["moe_intermediate_size"]}, {c["num_experts_per_tok"]} a token, and a shared one twice
as wide; sigmoid router, balanced by a bias in the choice alone, without an auxiliary loss; context {c["max_position_embeddings"]}.
"""


def quality(facts: Facts) -> str:
    measured = {
        "all held-out text, shipped weights": facts.full,
        "rows of it, shipped weights (4 bits)": facts.four_bit,
        "the same rows, bf16 weights before rounding": facts.bf16,
    }
    domains = list(facts.full.bits_per_byte)
    lines = [row(["", "mean", *domains]), row(["---"] * (len(domains) + 2))]
    for name, one in measured.items():
        lines.append(row([name, f"{one.mean:.3f}", *(f"{one.bits_per_byte[domain]:.3f}" for domain in domains)]))
    table = "\n".join(lines)
    return f"""## Held-out text, bits per byte

1 % of each domain was never trained on. First line: all of it, through PyTorch. The others: {facts.rows} rows of 512 tokens of each domain through
Espalier's engine in float32.

{table}

{cost(facts.four_bit.mean / facts.bf16.mean - 1)}
"""


def cost(of_rounding: float) -> str:
    if of_rounding > 0:
        return f"Four bits cost {of_rounding:.1%} of the mean."
    return f"""Rounding to four bits lowers the mean by {-of_rounding:.1%}: in its last minutes the training computed with rounded weights (`--round`), so that the exact
ones are no longer the better ones. What a model never rounded would reach is not known."""


def routing(facts: Facts) -> str:
    domains = list(facts.full.bits_per_byte)
    head = ["layer", "shared", "shuffled", "dead", "most load", "least", "of one domain", "most selective"]
    lines = [row(head), row(["---"] * len(head))]
    for layer in facts.four_bit.routing:
        columns = [list(column) for column in zip(*layer["table"], strict=True)]
        share, expert = max((max(column) / (sum(column) or 1), e) for e, column in enumerate(columns))
        domain = domains[columns[expert].index(max(columns[expert]))]
        numbers = [f"{layer['mi']:.3f}", f"{layer['shuffled']:.3f}", layer["dead"], f"{layer['max_load']:.2f}", f"{layer['min_load']:.2f}"]
        half = sum(max(column) >= 0.5 * sum(column) for column in columns)
        lines.append(row([layer["layer"], *numbers, half, f"{domain}: {share:.0%} of expert {expert}"]))
    table = "\n".join(lines)
    return f"""## Routing of the shipped file

Bits that domain and expert share (at most 3), counted by Espalier's engine on the same rows; the control gives the rows' domains out at random.
Dead: less than 5 % of the mean load; most and least load over the mean; experts that have half their load or more from one domain.

{table}

![share of each domain's tokens by expert](run/routing.svg)
"""


def course(facts: Facts) -> str:
    last = facts.run[-1]
    return f"""## Training

{last["tokens"] / 1e6:.2f} M tokens in {int(last["step"])} steps and {last["seconds"] / 60:.0f} minutes, on two cores of machines with other work
({last["tokens"] / last["seconds"]:.0f} tokens/s at the lowest priority; alone 2,500 with bf16 instructions, 1,000 with AVX2). Muon and AdamW at 4e-3, constant, then falling to
the end. {went_on(facts)}

Loss, load, rate and tokens/s: [run/log.csv](run/log.csv); measurements on the way, on 16 rows a domain or on all of them:
[run/measurements.csv](run/measurements.csv).

![loss](run/loss.svg)

![held-out bits per byte](run/bits.svg)
"""


def went_on(facts: Facts) -> str:
    own = [row for row in facts.run if row["step"] >= facts.first]
    if len(own) == len(facts.run):
        return ""
    before = facts.run[-len(own) - 1]
    tokens, rate = (own[-1]["tokens"] - before["tokens"]) / 1e6, max(row["rate"] for row in own)
    return f"Then {tokens:.1f} M tokens more from the 4-bit file of step {before['step']:.0f}, at {rate:.0e} and falling."


def drafts(facts: Facts) -> str:
    if facts.drafts is None:
        return """## Multi-token prediction

No such layer was trained.
"""
    shares = facts.drafts["acceptance"]
    mean = sum(shares.values()) / len(shares)
    table = "\n".join(
        row(cells)
        for cells in (["mean", *shares], ["---"] * (len(shares) + 1), [f"{mean:.0%}", *(f"{share:.0%}" for share in shares.values())])
    )
    return f"""## Multi-token prediction

The shipped file has no layer for it (MLX checkpoints carry none). `mtp.py` trained one upon its weights, which stayed as they are:
{facts.drafts["tokens"] / 1e6:.1f} M tokens, {facts.drafts["seconds"] / 60:.0f} minutes. So often its draft of the token after the next, given the true next token, is what the model itself
chooses greedily there (held-out text, 16 rows of 512 tokens a domain):

{table}
"""


def limits(facts: Facts) -> str:
    return f"""## Limits

- It was trained for a short time on little text, and its loss was still falling when it ended: sentences have a grammar, seldom a meaning;
  of {facts.sums} sums of two numbers below 100, {facts.right_sums} came out right (greedy).
- Four languages of software documentation, two programming languages, generated exercises and records. Nothing else.
- Trained on rows of 256 to 1,024 tokens; longer contexts were never seen.
- No instruction tuning, no chat template, no safety training; names in its output are invented or from documentation.
- Whether weights carry licences of the text they were trained on is unsettled: DATA_CARD.md names every source.
"""


def samples(facts: Facts) -> str:
    out = [
        "## Samples\n",
        f"Unedited: the shipped file through Espalier, temperature {TEMPERATURE}, top {TOP_K}, {TOKENS} tokens, seeds 1, 2 and 3. `▌` ends what was given.\n",
    ]
    for domain, texts in facts.samples.items():
        out.append(f"### {domain}\n")
        out += [f"````\n{prompt}▌{text}\n````\n" for prompt, text in zip(PROMPTS[domain], texts, strict=True)]
    return "\n".join(out)


def row(cells: list) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def read_config(checkpoint: Path) -> dict:
    return json.loads((checkpoint / "config.json").read_text())
