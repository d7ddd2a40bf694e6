"""A byte-level tokenizer: one token a byte, three merged ones, five special ones, and a chat template."""

import json

from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing

SPECIALS = ["<|begin|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
MERGES = [("t", "h"), ("th", "e"), ("Ġ", "the")]
BYTES = 256
BOS, EOS = BYTES + len(MERGES), BYTES + len(MERGES) + 1
VOCABULARY = BYTES + len(MERGES) + len(SPECIALS)

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] | trim }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def byte_symbols():
    """The printable character that stands for each byte, as GPT-2 chose them: itself, or the next one from U+0100 on."""
    kept = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    moved = iter(range(0x100, 0x200))
    return [chr(byte if byte in kept else next(moved)) for byte in range(BYTES)]


def tokens():
    """All token strings; the id of a byte's token is the byte."""
    return byte_symbols() + [left + right for left, right in MERGES] + SPECIALS


def tokenizer():
    vocabulary = {token: i for i, token in enumerate(tokens()[: BYTES + len(MERGES)])}
    t = Tokenizer(BPE(vocab=vocabulary, merges=MERGES))
    t.add_special_tokens(SPECIALS)
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    t.decoder = decoders.ByteLevel()
    t.post_processor = TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", BOS)])
    return t


def write(folder):
    tokenizer().save(str(folder / "tokenizer.json"), pretty=False)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": SPECIALS[0],
        "eos_token": SPECIALS[1],
        "clean_up_tokenization_spaces": False,
        "model_max_length": 2048,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
