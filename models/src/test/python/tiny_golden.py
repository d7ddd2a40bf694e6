"""What transformers computes on a model, in float32: the numbers that the tests hold us to."""

import json
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

import tiny_tokenizer

PREDICT = 24
GAP, MARGIN = 4e-3, 4e-5  # below these a correct float32 implementation could choose another token or expert
LENGTHS = (24, 70)
TRIES = 20
VARIETY = 8  # different ids among the 24: a stuck answer would hide mistakes of position
MESSAGES = [
    {"role": "system", "content": "Speak of the garden."},
    {"role": "user", "content": " Which tree is the oldest? Größe: 3 m. "},
]


class Unfit(Exception):
    """This seed's model decides too narrowly, or babbles too evenly, to test with; another will do."""


def model(folder):
    """The model of a folder, in float32."""
    loaded, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    tied = {"lm_head.weight"} if loaded.config.tie_word_embeddings else set()
    if set(info["missing_keys"]) - tied or info["unexpected_keys"]:
        raise SystemExit(f"{folder}: missing {info['missing_keys']}, unexpected {info['unexpected_keys']}")
    return loaded.eval()


def model_of(config, tensors):
    """The model of a config and float32 tensors."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(config))
        save_file(tensors, Path(folder, "model.safetensors"), metadata={"format": "pt"})
        return model(folder)


class Recorder:
    """Expert ids, weights and margins of each MoE layer, of the latest forward pass."""

    def __init__(self, loaded):
        self.ids, self.weights, self.margins = {}, {}, {}
        for layer, block in enumerate(loaded.model.layers):
            if hasattr(block.mlp, "gate"):
                block.mlp.gate.register_forward_hook(lambda gate, _, out, layer=layer: self.record(layer, gate, out))

    def record(self, layer, gate, out):
        logits, weights, ids = out
        ids, order = ids.sort(dim=-1)
        self.ids[layer], self.weights[layer] = ids, weights.gather(-1, order)
        scores = logits.sigmoid() + gate.e_score_correction_bias
        groups = scores.view(len(scores), gate.num_group, -1)
        sums = groups.topk(2, dim=-1)[0].sum(-1)
        best = sums.sort(dim=-1, descending=True)[0]
        kept = torch.zeros_like(sums).scatter_(1, sums.topk(gate.topk_group, dim=-1)[1], 1).bool()
        rivals = groups.masked_fill(~kept.unsqueeze(-1), 0.0).flatten(1).sort(dim=-1, descending=True)[0]
        # Dropped groups at minus infinity (DeepSeek's own code, transformers) or at 0.0 (mlx-lm): equal as long as the chosen are above 0,
        # so that both agree on these models.
        dropped = gate.topk_group < gate.num_group
        self.margins[layer] = min(
            (best[:, gate.topk_group - 1] - best[:, gate.topk_group]).min().item() if dropped else float("inf"),
            (rivals[:, gate.top_k - 1] - rivals[:, gate.top_k]).min().item(),
            rivals[:, gate.top_k - 1].min().item(),
        )


class NoRecorder:
    """For a dense model, or one whose routing is held by its logits alone."""

    ids, weights, margins = {}, {}, {}


@torch.no_grad()
def prompt(loaded, recorder, ids):
    """The golden record of one prompt, or None where it is no good test: a near tie, or one token over and over."""
    logits = loaded(torch.tensor([ids])).logits[0]
    routing = {
        str(layer): {"expert_ids": recorder.ids[layer].tolist(), "weights": floats(recorder.weights[layer])}
        for layer in recorder.ids
    }
    tokens, gap, margin, step = [], float("inf"), min(recorder.margins.values(), default=float("inf")), logits
    for _ in range(PREDICT):
        top = step[-1].topk(2)
        gap = min(gap, (top.values[0] - top.values[1]).item())
        tokens.append(top.indices[0].item())
        last = step[-1]
        step = loaded(torch.tensor([ids + tokens])).logits[0]
        margin = min([margin, *recorder.margins.values()])
    if gap < GAP or margin < MARGIN or len(set(tokens)) < VARIETY:
        return None
    return {
        "prompt_ids": ids,
        "last_logits": floats(logits[-1]),
        "argmax_per_position": logits.argmax(-1).tolist(),
        "greedy_ids": tokens,
        "greedy_min_top2_gap": round(gap, 6),
        "last_step_logits": floats(last),
        "routing": routing or None,
        "routing_min_margin": round(margin, 7) if routing else None,
    }


def floats(tensor):
    if tensor.dim() > 1:
        return [floats(row) for row in tensor]
    return [float(f"{x:.8g}") for x in tensor.tolist()]


def chat_ids():
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tiny_tokenizer.tokenizer(),
        bos_token=tiny_tokenizer.SPECIALS[0],
        eos_token=tiny_tokenizer.SPECIALS[1],
        chat_template=tiny_tokenizer.CHAT_TEMPLATE,
    )
    text = fast.apply_chat_template(MESSAGES, tokenize=False, add_generation_prompt=True)
    return text, fast.encode(text, add_special_tokens=False)


def golden(loaded, seed, recorder=None, **about):
    """Two prompts of random bytes and one chat; raises Unfit where the answer to the chat is no good test."""
    recorder = recorder or Recorder(loaded)
    text, ids = chat_ids()
    chat = prompt(loaded, recorder, ids)
    if chat is None:
        raise Unfit("near tie or monotony in the answer to the chat prompt")
    if any(i >= tiny_tokenizer.BOS for i in chat["greedy_ids"]):
        raise Unfit("special token in the answer to the chat prompt")
    answer = tiny_tokenizer.tokenizer().decode(chat["greedy_ids"])
    chat = {"messages": MESSAGES, "prompt_text": text, **chat, "greedy_text": answer}
    generator = torch.Generator().manual_seed(seed)
    prompts = []
    for length in LENGTHS:
        draws = (torch.randint(tiny_tokenizer.VOCABULARY, (length,), generator=generator).tolist() for _ in range(TRIES))
        one = next((p for p in (prompt(loaded, recorder, ids) for ids in draws) if p), None)
        if one is None:
            raise Unfit(f"near tie or monotony after {TRIES} prompts of {length} ids")
        prompts.append(one)
    prompts[1]["routing"] = chat["routing"] = None  # bulk: the first prompt's says enough
    return {**about, "seed": seed, "prompts": prompts, "chat": chat}


def write(file, record):
    file.write_text(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
