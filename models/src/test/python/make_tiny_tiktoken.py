#!/usr/bin/env python3
"""Makes the golden of TiktokenTest: a tiny tiktoken.model with the splitting rule of Kimi K2, and what tiktoken computes with it.

    pip install tiktoken==0.14.0 tokenizers==0.23.3
    models/src/test/python/make_tiny_tiktoken.py
"""

import base64
import json
import pathlib

import tiktoken
from tokenizers import Regex, Tokenizer, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

OUT = pathlib.Path(__file__).parents[1] / "resources/org/espalier/tokenizer"

UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
ENDING, BEFORE = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?", r"[^\r\n\p{L}\p{N}]?"
RULE = "|".join([r"[\p{Han}]+", BEFORE + UPPER + "*" + LOWER + "+" + ENDING, BEFORE + UPPER + "+" + LOWER + "*" + ENDING,
                 r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])

TEXT = ["The pear tree grows along the wall.", "She's tied it; we'll see 12345 rows.", "果树沿着墙生长，果树很高。", "HTTPServer camelCase",
        "def f(x):\n    return x\n\n", "der Birnbaum wächst", "κήπος και τοίχος"]
CASES = TEXT + ["", " ", "   a", "a   ", "果树Tree树", "果树's", "it's IT'S It'Ll", "1 12 123 1234567", "!!! ???\n\nx", "🌳 a🌳",
                "<|im_end|>", "a<|im_end|>b", "\u0000\u0001", "日本語テキスト한국어", "ABCdefGHI", "\r\n \t x", "áe\u0301"]


def symbols():
    """How byte-level vocabularies spell bytes, turned around."""
    spelled, free = {}, 256
    for b in range(256):
        if 33 <= b <= 126 or b >= 161 and b != 173:
            spelled[chr(b)] = b
        else:
            spelled[chr(free)] = b
            free += 1
    return spelled


def main():
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(RULE), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.train_from_iterator(
        TEXT * 20, BpeTrainer(vocab_size=420, initial_alphabet=sorted(symbols()), show_progress=False))
    spelled = symbols()
    by_id = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    ranks = {bytes(spelled[c] for c in token): i for token, i in by_id}
    (OUT / "tiny.tiktoken").write_text(
        "".join(f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items()))
    special = {"[BOS]": len(ranks), "[EOS]": len(ranks) + 1, "<|im_end|>": len(ranks) + 2}
    encoding = tiktoken.Encoding("tiny", pat_str=RULE, mergeable_ranks=ranks, special_tokens=special)
    cases = []
    for text in CASES:
        ids = encoding.encode(text, allowed_special="all")
        cases.append({"text": text, "ids": ids, "decoded": encoding.decode(ids)})
    (OUT / "tiktoken.json").write_text(json.dumps({"special": special, "cases": cases}) + "\n")
    print(len(ranks), "ranks,", len(cases), "cases")


if __name__ == "__main__":
    main()
