#!/usr/bin/env python3
"""Trains a multi-token-prediction layer upon a finished run, whose own weights stay as the 4-bit file has them, and measures how many drafts
would be accepted.

    nice -n 19 python mtp.py --work W --run shipped --minutes 10

Leaves mtp.pt (the layer) and mtp.json (the acceptance rate by domain, for the model card) in the run's folder; again, it goes on from them.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import torch
from torch import nn

from model.precision import fastest, use
from training.cores import Threads, relaunch_environment
from training.data import HeldOut, Training
from training.drafts import acceptance, draft_loss, multi_token_layer, with_multi_token_layer
from training.four_bits import round_weights
from training.muon import optimizers, set_rate
from training.schedule import Schedule
from training.state import load_model
from training.steps import CLIP

PRINT_EVERY = 50  # steps
ROWS_MEASURED = 16  # of each domain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--run", default="shipped")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--tokens", type=int, default=4096, help="of a step")
    parser.add_argument("--length", type=int, default=512, help="of a row")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    folder = chosen.work / chosen.run
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    use(fastest(device))
    torch.manual_seed(chosen.seed)
    torch.set_flush_denormal(True)
    threads = Threads(chosen.threads)
    trunk = load_model(folder)
    round_weights(trunk)
    model = with_multi_token_layer(trunk).to(device)
    layer = multi_token_layer(model)
    before = {"tokens": 0, "seconds": 0}
    if (folder / "mtp.json").exists():
        before = json.loads((folder / "mtp.json").read_text())
        layer.load_state_dict(torch.load(folder / "mtp.pt", map_location=device, weights_only=True))
    made, training = optimizers(model, chosen.rate), Training(chosen.work, chosen.seed + before["tokens"])
    schedule = Schedule(chosen.rate, seconds=chosen.minutes * 60)
    began, tokens, step = time.monotonic(), before["tokens"], 0
    while not schedule.over(time.monotonic() - began):
        threads.adapt()
        set_rate(made, schedule.at(step, time.monotonic() - began))
        ids, target = training.batch(chosen.tokens, chosen.length)
        loss = draft_loss(model, ids.to(device), target.to(device))
        loss.backward()
        nn.utils.clip_grad_norm_(layer.parameters(), CLIP)
        for optimizer in made:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step, tokens = step + 1, tokens + ids.numel()
        if step % PRINT_EVERY == 0:
            print(f"step {step}, {tokens / 1e6:.2f} M tokens, loss {loss.item():.3f}", flush=True)
    seconds = round(time.monotonic() - began)
    accepted = acceptance(model, HeldOut(chosen.work), ROWS_MEASURED, device)
    torch.save(layer.state_dict(), folder / "mtp.pt")
    report = {"tokens": tokens, "seconds": before["seconds"] + seconds, "loss": round(loss.item(), 4), "acceptance": accepted}
    (folder / "mtp.json").write_text(json.dumps(report, indent=1) + "\n")
    print(f"accepted of 100 drafts: {', '.join(f'{domain} {100 * share:.0f}' for domain, share in accepted.items())}")


if __name__ == "__main__":
    environment = relaunch_environment()
    if environment and not torch.cuda.is_available():
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    main()
