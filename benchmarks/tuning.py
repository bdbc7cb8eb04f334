"""What a search gains over the default, and whether it survives its processes being killed.

    python benchmarks/tuning.py [--sets GunPoint "M4 weekly" ...] [--trials 30] [--out scores.json]
    python benchmarks/tuning.py --kill [--processes 4] [--trials 100] [--every 10]

The sets are in the folder RECURRA_DATA: ten of the UCR archive, and the weekly series of M4, with
their published test parts. The search sees the training part alone; the test part is scored twice
in the end, for the default and for what was found. One process, and as many threads as
OMP_NUM_THREADS says. M4 weekly is scored by sMAPE, MASE (season 1, as in the competition) and OWA.

With --kill, processes search together in one file, and every so many seconds one of those at work
is killed and another begun. In the end each trial is to be finished once.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import recurra as rc
from recurra.data import from_ucr
from recurra.evaluation import Naive2
from recurra.metrics import mase, owa, smape
from recurra.tuning import Origins, Tuning

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("RECURRA_DATA", ROOT.parent / "shared" / "data"))
UCR = [
    *("ECG200", "GunPoint", "ItalyPowerDemand", "SyntheticControl", "Trace", "TwoLeadECG"),
    *("SonyAIBORobotSurface1", "GesturePebbleZ1", "DodgerLoopGame", "MelbournePedestrian"),
]
WEEKLY, H = "M4 weekly", 13


def ucr(name: str, trials: int, seed: int) -> tuple[Tuning, dict[str, float], dict[str, float]]:
    """Search on the training part of a set; score both on its test part."""
    folder = DATA / "cls_ucr_dev" / name
    train, test = (from_ucr(folder / f"{name}_{part}.tsv.gz") for part in ("TRAIN", "TEST"))
    model = rc.Classifier(seed=seed)
    found = rc.tune(model, train, trials=trials, seed=seed, progress=False)
    plain, best = (each.scores(test) for each in (model.fit(train), found.model))
    scores = [{one.measure: one.value for one in each} for each in (plain, best)]
    return found, scores[0], scores[1]


def weekly(trials: int, seed: int) -> tuple[Tuning, dict[str, float], dict[str, float]]:
    """Search on the series before the competition's last weeks; score both on those."""
    folder = DATA / "fc_m4_weekly"
    train, test = (
        read_series(folder / "Weekly-train.csv.gz"),
        read_series(folder / "Weekly-test.csv"),
    )
    ids = np.repeat(list(train), [len(each) for each in train.values()])
    steps = np.concatenate([np.arange(len(each)) for each in train.values()])
    frame = pd.DataFrame({"unique_id": ids, "ds": steps, "y": np.concatenate([*train.values()])})
    model = rc.Forecaster(seed=seed)
    by = Origins(H, 2)
    found = rc.tune(model, frame, trials=trials, by=by, metric="OWA", seed=seed, progress=False)
    simple = np.array([Naive2(1).forecast(each, H) for each in train.values()])
    reference = errors(simple, train, test)
    scores = []
    for each in (model.fit(frame), found.model):
        table = each.predict(H)
        one = errors(table.iloc[:, -1].to_numpy().reshape(-1, H), train, test)
        scores.append({"sMAPE": one[0], "MASE": one[1], "OWA": owa(*one, *reference)})
    return found, scores[0], scores[1]


def read_series(path: Path) -> dict[str, np.ndarray]:
    """Read a file of the competition."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    rows = list(csv.reader(text.splitlines()))[1:]
    return {row[0]: np.array([float(x) for x in row[1:] if x]) for row in rows}


def errors(forecasts: np.ndarray, train: dict, test: dict) -> tuple[float, float]:
    """Average sMAPE and MASE over all series."""
    pairs = [(test[name], train[name], each) for name, each in zip(train, forecasts, strict=True)]
    scaled = [mase(y, each, past, 1) for y, past, each in pairs]
    return float(np.mean([smape(y, each) for y, _, each in pairs])), float(np.mean(scaled))


def compare(names: list[str], trials: int, seed: int, out: Path | None) -> None:
    """Print what was searched on, and both scores on the test part."""
    told = {}
    print(f"{trials} trials each, seed {seed}, {torch.get_num_threads()} threads")
    for name in names:
        begun = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            way = weekly(trials, seed) if name == WEEKLY else ucr(name, trials, seed)
        found, plain, best = way
        print(f"\n{name} ({time.perf_counter() - begun:.0f} s)\n{found}")
        print(f"  {'on the test part':20} {'default':>10} {'tuned':>10}")
        for measure, value in plain.items():
            print(f"  {measure:20} {value:10.4f} {best[measure]:10.4f}", flush=True)
        told[name] = {"default": plain, "tuned": best, "parameters": found.parameters}
        if out is not None:
            out.write_text(json.dumps(told, indent=2))


def worker(storage: str, trials: int) -> None:
    """Search with others."""
    folder = DATA / "cls_ucr_dev" / "ItalyPowerDemand"
    train = from_ucr(folder / "ItalyPowerDemand_TRAIN.tsv.gz")
    model = rc.Classifier(hidden_size=16)
    rc.tune(model, train, trials=trials, storage=storage, refit=False, progress=False)


def kill(processes: int, trials: int, every: float) -> None:
    """Let processes search together, kill one again and again, and count what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        storage, killed, begun = str(Path(folder) / "study.journal"), 0, time.monotonic()
        command = [sys.executable, __file__, "--worker", storage, "--trials", str(trials)]
        workers = [subprocess.Popen(command) for _ in range(processes)]
        while any(each.poll() is None for each in workers):
            time.sleep(every)
            alive = [place for place, each in enumerate(workers) if each.poll() is None]
            if len(alive) == processes:
                place = random.choice(alive)
                workers[place].send_signal(signal.SIGKILL)
                workers[place].wait()
                workers[place], killed = subprocess.Popen(command), killed + 1
        report(storage, trials, killed, time.monotonic() - begun)


def report(storage: str, trials: int, killed: int, seconds: float) -> None:
    """Count the trials by what became of them."""
    import optuna

    from recurra.tuning.storage import open_storage

    study = optuna.load_study(study_name="tune", storage=open_storage(storage))
    attempts = study.get_trials(deepcopy=False)
    ended = [each for each in attempts if each.state.name in ("COMPLETE", "PRUNED")]
    places = [each.user_attrs["place"] for each in ended]
    stuck = sum(each.state.name in ("RUNNING", "WAITING") for each in attempts)
    twice = len(places) - len(set(places))
    print(
        f"{killed} processes killed in {seconds:.0f} s; {len(attempts)} attempts at {trials} trials"
    )
    print(f"finished {len(set(places))}, twice {twice}, stuck {stuck}")


def main() -> None:
    """Compare, or kill."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", nargs="+", default=[*UCR, WEEKLY], choices=[*UCR, WEEKLY])
    parser.add_argument("--trials", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--every", type=float, default=10.0)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options.trials)
    elif options.kill:
        kill(options.processes, options.trials or 100, options.every)
    else:
        compare(options.sets, options.trials or 30, options.seed, options.out)


if __name__ == "__main__":
    main()
