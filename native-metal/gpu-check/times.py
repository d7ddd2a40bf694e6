#!/usr/bin/env python3
"""times.py RUNS MEGABYTES SHAPE...: how fast the mlx engine decodes and reads prompts of models of these shapes, in turn with mlx-lm's own model code.

RUNS times each, in a process each; MEGABYTES of memory are read to say which share of the device's bandwidth decode reaches. run.sh makes the models.
Ends with 0 if all could be measured, 1 if not.
"""
import json
import pathlib
import re
import statistics
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PASSES = 2  # of a process: the first makes kernels and chooses between them, and does not count
WANTED = {"decode": 1.3, "prefill": 2.0}  # of mlx-lm's rate
LIMIT = 600  # seconds of a process


class Failed(Exception):
    """What a process said last."""


def output(*command):
    try:
        ended = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise Failed(f"it took more than {LIMIT} s") from None
    except OSError as error:
        raise Failed(str(error)) from None
    if ended.returncode:
        said = (ended.stderr.strip() or ended.stdout.strip()).splitlines()
        raise Failed(f"exit code {ended.returncode}: {said[-1] if said else 'it said nothing'}")
    return ended.stdout


def ours(shape):
    """Rates in tokens/s, rows of the prompt and tokens after it, and what the engine says besides. Time between steps is not in it."""
    said = output(HERE / "build/espalier-check-library", "--library", HERE / "mlx/lib/libespalier-mlx.so", "--precision", "fast", "--passes", PASSES,
                  "--times", "--tolerance", 1e9, "--choices", 1, HERE / "bench/timed" / shape)
    steps = [(int(rows), float(ms) / 1e3) for rows, ms in re.findall(r"^call \d+: (\d+) rows, ([\d.]+) ms$", said, re.MULTILINE)]
    last = steps[len(steps) // PASSES * (PASSES - 1):]
    prompt = [step for step in last if step[0] > 1]
    tokens = [seconds for rows, seconds in last if rows == 1]
    rows = sum(rows for rows, _ in prompt)
    return {"prefill": rows / sum(seconds for _, seconds in prompt), "decode": len(tokens) / sum(tokens), "rows": rows, "tokens": len(tokens),
            "says": [line for line in said.splitlines() if not line.startswith(("call ", "bits "))]}


def theirs(shape, mine):
    return json.loads(output(sys.executable, HERE / "mlx_lm_times.py", HERE / "models" / shape, mine["rows"], mine["tokens"]))


def bytes_per_token(model):
    """Of weights that one token's step reads: all but the rows of the embedding, and of the experts as many as a token has."""
    config = json.loads((model / "config.json").read_text())
    experts = config.get("n_routed_experts") or config["num_experts"]
    with open(model / "model.safetensors", "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    total = 0
    for name, tensor in header.items():
        length = tensor["data_offsets"][1] - tensor["data_offsets"][0]
        share = config["num_experts_per_tok"] / experts if ".switch_mlp." in name else 0 if "embed_tokens" in name else 1
        total += length * share
    return total


def spread(values, digits=1):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def compared(part, mine, other, wanted):
    line = f"  {part:8} ours {spread([m[part] for m in mine])} tokens/s"
    if other:
        ratios = [m[part] / o[part] for m, o in zip(mine, other)]
        line += f", mlx-lm {spread([o[part] for o in other])}: {spread(ratios, 2)} of mlx-lm's"
        if wanted:
            line += f", wanted {WANTED[part]}: {'reached' if statistics.median(ratios) >= WANTED[part] else 'NOT REACHED'}"
    print(line)


def measure(shape, runs, bandwidth):
    """Prints all of a shape; returns whether mlx-lm could be measured too."""
    mine, other, failure = [], [], None
    for _ in range(runs):
        mine.append(ours(shape))
        if not failure:
            try:
                other.append(theirs(shape, mine[-1]))
            except Failed as failed:
                other, failure = [], failed
    print(f"== {shape}: a prompt of {mine[0]['rows']} tokens, {mine[0]['tokens']} after it; {runs} runs in turn, medians and ranges")
    small = shape.endswith("-small")
    for part in WANTED:
        compared(part, mine, other, wanted=not small)
    if failure:
        print(f"  mlx-lm could not be measured: {failure}: NO RATIOS")
    model = HERE / "models" / shape
    rates = {"ours": mine, **({"mlx-lm": other} if other else {})}
    if small:  # nothing to read: what is left is launching
        layers = json.loads((model / "config.json").read_text())["num_hidden_layers"]
        print("  launches " + ", ".join(f"{who} {spread([1e6 / one['decode'] / layers for one in all_])}" for who, all_ in rates.items()) + " us a layer and token")
    else:
        read = bytes_per_token(model)
        print(f"  reading  {read / 1e9:.2f} GB a token" + (": " if bandwidth else ""), end="")
        print(", ".join(f"{who} {spread([one['decode'] * read / bandwidth for one in all_], 2)} of the bandwidth" for who, all_ in rates.items() if bandwidth))
    print("\n".join("  " + line for line in mine[-1]["says"]), flush=True)
    return not failure


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__.strip())
    runs, megabytes, shapes = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    good, bandwidth = True, None
    try:
        read = json.loads(output(sys.executable, HERE / "mlx_lm_times.py", "--read", megabytes))
        bandwidth = read["read"]
        print(f"bandwidth    {bandwidth / 1e9:.0f} GB/s, as MLX reads {megabytes} MB ({read['device']}): best of five sums and of five copies")
    except Failed as failed:
        good = False
        print(f"bandwidth    MLX's Python module cannot be run: {failed}: NO SHARES of it")
    for shape in shapes:
        try:
            good &= measure(shape, runs, bandwidth)
        except Failed as failed:
            good = False
            print(f"== {shape}: the mlx engine could not be measured: {failed}")
    sys.exit(0 if good else 1)


main()
