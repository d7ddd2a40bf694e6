#!/usr/bin/env python3
"""Trains the demo model on the corpus of `python -m corpus`.

    nice -n 19 python train.py --work W --run demo  # at a constant rate until it is stopped; again: resumes
    nice -n 19 python train.py --work W --run shipped --from demo --fall 30 --round 10  # from a copy of it: the rate falls in 30 minutes
                                                            # to the end, in the last 10 with weights rounded as the 4-bit file will have them
    nice -n 19 python train.py --work W --run more --from ../../models/demo --rate 3e-3 --fall 90 --round 20  # goes on from the shipped file

Uses a GPU if there is one. Interrupt (Ctrl-C or SIGTERM) saves the state.
"""

import argparse
import os
import shutil
import signal
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import torch

from model.config import PRESETS
from model.precision import compute, fastest, use
from training.cores import Threads, relaunch_environment
from training.data import HeldOut, Training
from training.evaluation import ALL, measure
from training.four_bits import rounded_weights
from training.log import Log
from training.schedule import Schedule
from training.state import FILE, Run
from training.steps import Steps

ROWS_MEASURED = 16  # of each domain, on the way
COURSE = Path(__file__).resolve().parent / "run" / "log.csv"  # of the shipped file's training


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="the corpus' folder; the run's folder is made in it")
    parser.add_argument("--run", default="demo")
    parser.add_argument("--from", dest="origin", help="start from a copy of this run's state, or from a 4-bit checkpoint's folder")
    parser.add_argument("--fall", type=float, help="minutes of training over which the rate falls; then the run ends")
    parser.add_argument("--round", type=float, default=0, help="last minutes of the fall, which train with weights rounded to 4 bits")
    parser.add_argument("--preset", default="e64", choices=PRESETS)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--tokens", type=int, default=4096, help="of a step")
    parser.add_argument("--lengths", type=int, nargs="+", default=[256, 256, 512], help="of the rows, a step each in turn")
    parser.add_argument("--save-every", type=float, default=240, help="seconds")
    parser.add_argument("--measure-every", type=float, default=900, help="seconds")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def start(options: argparse.Namespace, folder: Path, device: torch.device) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    if options.origin and not (folder / FILE).exists():
        checkpoint = Path(options.origin)
        if (checkpoint / "model.safetensors").exists():
            return Run.of(checkpoint, COURSE, PRESETS[options.preset], options.rate, device)
        shutil.copytree(options.work / options.origin, folder, dirs_exist_ok=True)  # with its log: the course from the beginning
    if (folder / FILE).exists():
        return Run.load(folder, options.rate, device)
    return Run.fresh(PRESETS[options.preset], options.rate, device)


def main() -> None:
    chosen = options()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    use(fastest(device))
    torch.manual_seed(chosen.seed)
    torch.set_flush_denormal(True)
    threads = Threads(chosen.threads)
    folder = chosen.work / chosen.run
    run = start(chosen, folder, device)
    if chosen.fall and run.fall_began is None:
        run.fall_began = run.trained
    schedule = Schedule(chosen.rate, run.fall_began or 0.0, chosen.fall * 60 if chosen.fall else None, run.first, chosen.round * 60)
    steps = Steps(run, Training(chosen.work, chosen.seed + run.step), schedule, chosen.tokens, chosen.lengths)
    held, log = HeldOut(chosen.work), Log(folder)
    print(f"{run.model.c} {run.model.sizes()} on {device} in {compute()}, step {run.step}, {run.tokens / 1e6:.2f} M tokens so far", flush=True)

    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    saved = measured = time.monotonic()
    while not stopped and not schedule.over(run.trained):
        threads.adapt()
        if numbers := steps.next():
            log.step(**numbers)
        if time.monotonic() - saved > chosen.save_every:
            run.save(folder)
            saved = time.monotonic()
        if time.monotonic() - measured > chosen.measure_every:
            report(run, schedule, held, log, ROWS_MEASURED)
            measured = time.monotonic()
    run.save(folder)
    if not stopped:
        report(run, schedule, held, log, ROWS_MEASURED)
        report(run, schedule, held, log, ALL)


def report(run: Run, schedule: Schedule, held: HeldOut, log: Log, rows: int) -> None:
    device = next(run.model.parameters()).device
    with rounded_weights(run.model) if schedule.rounds(run.trained) else nullcontext():
        measurement = measure(run.model, held, rows, device)
    log.measurement(measurement, run.step, run.tokens, run.trained, final=rows == ALL)
    print(f"step {run.step}, {run.tokens / 1e6:.2f} M tokens, bits per byte {measurement.line()}", flush=True)


if __name__ == "__main__":
    environment = relaunch_environment()
    if environment and not torch.cuda.is_available():
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    main()
