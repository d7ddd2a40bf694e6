"""DATA_CARD.md: what the model has read. Numbers and names only."""

import hashlib
import json
from pathlib import Path

from .fetch import version
from .sources import DOMAINS, LEFT_OUT, licence

CARD = Path(__file__).resolve().parents[1] / "DATA_CARD.md"


def write(work: Path) -> None:
    used = json.loads((work / "corpus.json").read_text())
    counts = json.loads((work / "tokens.json").read_text())
    CARD.write_text(
        "# What the demo model has read\n\n"
        "Written by `python -m corpus card`. All packages are from Debian 12 *main*. None of their text is in this repository; the\n"
        "checkpoint holds weights and a tokenizer's vocabulary. Whether weights carry licences of what was read is unsettled; so only\n"
        "licences that one work could meet together were read (with one exception: the JDK), and all are named here.\n\n"
        f"{domains(counts)}\n\n{sources(work, used)}\n\n## Left out\n\n"
        + "".join(f"- {name}: {why}\n" for name, why in LEFT_OUT.items())
        + "\n## Checksums\n\nSHA-256 of what these versions give: the tokenizer and the held-out tokens.\n\n"
        + f"- tokenizer.json: `{digest(work / 'tokenizer.json')}`\n"
        + "".join(f"- {domain}: `{digest(work / 'tokens' / f'{domain}.held.u16')}`\n" for domain in DOMAINS)
    )


def domains(counts: dict) -> str:
    rows = [
        "## Domains\n",
        "| domain | bytes, training | tokens, training | bytes a token | bytes held out | tokens held out |",
        "|---|---|---|---|---|---|",
    ]
    for domain in DOMAINS:
        train, held = counts[f"{domain}.train"], counts[f"{domain}.held"]
        rows.append(
            f"| {domain} | {train['bytes']:,} | {train['tokens']:,} | {train['bytes_per_token']:.2f} "
            f"| {held['bytes']:,} | {held['tokens']:,} |"
        )
    return "\n".join(rows)


def sources(work: Path, used: dict) -> str:
    rows = ["## Sources\n", "| package | version | licence of the files read | bytes read |", "|---|---|---|---|"]
    totals: dict[str, dict[str, int]] = {}
    for domain in DOMAINS:
        for part in ("train", "held"):
            for package, size in used[domain][part].items():
                by_domain = totals.setdefault(package, {})
                by_domain[domain] = by_domain.get(domain, 0) + size
    for package, by_domain in sorted(totals.items()):
        read = ", ".join(f"{domain} {size:,}" for domain, size in by_domain.items())
        if package == "generated":
            rows.append(f"| generated here | seeds `math-1`, `data-1` | this repository's | {read} |")
        else:
            rows.append(f"| {package} | {version(work, package)} | {licence(package)} | {read} |")
    return "\n".join(rows)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
