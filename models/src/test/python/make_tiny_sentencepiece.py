#!/usr/bin/env python3
"""Makes the golden of the SentencePiece tests: a tiny BPE vocabulary with byte fallback and what others compute with it.

    pip install sentencepiece==0.2.3 tokenizers==0.23.3 transformers==5.23.0 protobuf
    models/src/test/python/make_tiny_sentencepiece.py

Writes, beside the tests that read them:
  tiny.model             the vocabulary as SentencePiece stores it
  sentencepiece.json     its tokens, scores and types as a GGUF file lists them; ids and texts by SentencePiece itself,
                         ids, texts and streamed pieces by Hugging Face tokenizers after transformers' conversion
"""

import io
import json
import pathlib
import random

import sentencepiece as spm
from tokenizers import AddedToken, Tokenizer, decoders, normalizers
from tokenizers.decoders import DecodeStream
from tokenizers.models import BPE
from transformers.convert_slow_tokenizer import generate_merges

OUT = pathlib.Path(__file__).parents[1] / "resources/org/espalier/tokenizer"

SUBJECTS = ["the pear tree", "a gardener", "the wall", "our espalier", "every branch", "the old orchard", "one node",
            "a shard", "the cluster", "der Birnbaum", "die Mauer", "le jardin", "mañana", "κήπος"]
VERBS = ["grows along", "leans on", "is tied to", "remembers", "holds", "sends 12 rows to", "waits for", "wächst an",
         "regarde", "counts 1024 times"]
OBJECTS = ["the south wall", "two wires", "its neighbour", "the frame", "a number like 3.14", "a list of [1, 2, 3]",
           "das Spalier", "la vigne", "the next token; then the next", "nothing at all!", "the   gap    between words",
           "def f(x):\n    return x + 1", "it\n\n", "    four spaces", "aaaa", "ha ha ha haha"]

CASES = [
    "", " ", "  ", "   ", "     ", "a", " a", "a ", "the pear tree", " the pear tree ", "The Pear Tree",
    "the   gap    between     words", "tabs\tand\nnewlines\r\n\r\n", "def f(x):\n    return x + 1\n",
    "12", "1024", "3.14159", "2026-11-23", "mañana por la mañana", "man\u0303ana", "wächst an der Mauer", "κήπος και ήλιος",
    "日本語", "果树 on a wall", "한국어", "сад", "🌳", "a🌳b", "👩‍🌾 family", "\u2581", "a\u2581b", "\u2581\u2581the",
    "<s>", "</s>", "<s>the wall</s>", "<unk>", "<0x41>", "<mark>", "the<mark>wall", "the <mark> wall", "<mark><mark>a",
    "\u0000", "a\u0000b", "\ufeffbom", "\ufffd", "zwj\u200d", "'s 't're", "!!!???", "ha ha haha hahaha", "aaaaaaa",
    "the next token; then the next. " * 20,
]

UNFINISHED = [[0xF0], [0xF0, 0x9F], [0xF0, 0x9F, 0x8C], [0x80], [0xFF, 0xFE], [0xE6, 0x97, 0x41]]


def train():
    rng = random.Random(7)
    lines = [f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(OBJECTS)}" for _ in range(4000)]
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=600, model_type="bpe", byte_fallback=True,
        character_coverage=1.0, normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
        allow_whitespace_only_pieces=True, user_defined_symbols=["<mark>"], num_threads=1)
    return model.getvalue()


def listed(model):
    tokens = [model.id_to_piece(i) for i in range(len(model))]
    scores = [model.get_score(i) for i in range(len(model))]
    types = [2 if model.is_unknown(i) else 3 if model.is_control(i) else 6 if model.is_byte(i)
             else 4 if token == "<mark>" else 1 for i, token in enumerate(tokens)]
    return tokens, scores, types


def converted(tokens, scores, types):
    """The tokenizer.json form that transformers' converter gives, with the prefix before every segment as llama.cpp has it."""
    vocabulary = {token: i for i, token in enumerate(tokens)}
    others = [token for token, kind in zip(tokens, types) if kind != 1]
    merges = generate_merges(vocabulary, list(zip(tokens, scores)), skip_tokens=others)
    tokenizer = Tokenizer(BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in ("<unk>", "<s>", "</s>")])
    tokenizer.add_tokens([AddedToken("<mark>", normalized=False)])
    return tokenizer


def streamed(tokenizer, ids):
    stream = DecodeStream(skip_special_tokens=False)
    return [stream.step(tokenizer, i) or "" for i in ids]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    blob = train()
    (OUT / "tiny.model").write_bytes(blob)
    model = spm.SentencePieceProcessor(model_proto=blob)
    tokens, scores, types = listed(model)
    tokenizer = converted(tokens, scores, types)
    byte = tokens.index("<0x00>")
    cases = []
    for text in CASES:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        case = {"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False),
                "pieces": streamed(tokenizer, ids)}
        if not any(mark in text for mark in ("<", "\u0000")) and text:  # those SentencePiece reads otherwise
            assert model.encode(text) == ids, (text, model.encode(text), ids)
            case["sentencepiece"] = True
        cases.append(case)
    rng = random.Random(8)
    plain = [i for i, kind in enumerate(types) if kind == 1]
    for _ in range(40):  # any ids, as a model may sample them
        ids = [rng.choice(plain) if rng.random() < 0.7 else byte + rng.randrange(128) for _ in range(rng.randrange(1, 12))]
        cases.append({"ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
    broken = [{"ids": [byte + b for b in bs], "decoded": tokenizer.decode([byte + b for b in bs])} for bs in UNFINISHED]
    golden = {"tokens": tokens, "scores": scores, "types": types, "cases": cases, "broken": broken}
    (OUT / "sentencepiece.json").write_text(json.dumps(golden, ensure_ascii=True, indent=None) + "\n")
    # How often the order of merges matters: texts of repetitions, where SentencePiece takes the leftmost of equals.
    differ = 0
    for _ in range(20000):
        text = "".join(rng.choice(["a", "ha", " ", "the", "aa", "  ", "er", "n", "e", "t", "\n"]) for _ in range(20))
        differ += model.encode(text) != tokenizer.encode(text, add_special_tokens=False).ids
    print(f"{len(tokens)} tokens, {len(cases)} cases, {differ} of 20000 repetitive texts differ from SentencePiece")


if __name__ == "__main__":
    main()
