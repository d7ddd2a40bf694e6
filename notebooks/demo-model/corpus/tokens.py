"""The byte-level BPE tokenizer, trained on the corpus, and the corpus in its tokens."""

import json
from pathlib import Path

from .sources import DOMAINS

VOCABULARY = 8192
SAMPLE = 3_000_000  # characters of each domain that the tokenizer is trained on
BOS, EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"  # ids 0 and 1
# English contractions; a word with at most one sign before it; one digit; signs; line ends; other white space.
PIECES = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def train_tokenizer(work: Path) -> None:
    """Writes work/tokenizer.json."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PIECES), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()

    def texts():
        for domain in DOMAINS:
            yield from (work / "text" / f"{domain}.train").read_text()[:SAMPLE].split("\0")

    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.save(str(work / "tokenizer.json"))


def encode(work: Path) -> None:
    """Writes work/tokens/DOMAIN.{train,held}.u16, each document between BOS and EOS, and work/tokens.json with the counts."""
    import numpy as np
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    (work / "tokens").mkdir(exist_ok=True)
    counts = {}
    for domain in DOMAINS:
        for part in ("train", "held"):
            texts = (work / "text" / f"{domain}.{part}").read_text().split("\0")
            ids: list[int] = []
            for i in range(0, len(texts), 2000):
                for encoding in tokenizer.encode_batch(texts[i : i + 2000], add_special_tokens=False):
                    ids += [0, *encoding.ids, 1]
            np.array(ids, dtype=np.uint16).tofile(work / "tokens" / f"{domain}.{part}.u16")
            size = sum(len(text.encode()) for text in texts)
            counts[f"{domain}.{part}"] = {"tokens": len(ids), "bytes": size, "bytes_per_token": round(size / len(ids), 3)}
        print(domain, counts[f"{domain}.train"], flush=True)
    (work / "tokens.json").write_text(json.dumps(counts, indent=1) + "\n")
