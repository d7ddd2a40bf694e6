"""`python -m corpus STEP --work DIR`: each step reads what the one before it left in DIR."""

import argparse
from pathlib import Path

from . import assemble, card, fetch, sources, tokens

STEPS = {
    "fetch": lambda work: fetch.fetch(work, sources.packages()),
    "text": assemble.assemble,
    "tokenizer": tokens.train_tokenizer,
    "tokens": tokens.encode,
    "card": card.write,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m corpus", description=__doc__)
    parser.add_argument("step", choices=[*STEPS, "all"])
    parser.add_argument("--work", type=Path, required=True, help="folder for packages, text and tokens (2 GB), outside the repository")
    arguments = parser.parse_args()
    for step in STEPS if arguments.step == "all" else [arguments.step]:
        STEPS[step](arguments.work)


if __name__ == "__main__":
    main()
