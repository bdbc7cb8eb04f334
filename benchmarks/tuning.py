"""What a search gains over the default, and whether it survives its processes being killed.

    python benchmarks/tuning.py [--sets GunPoint "M4 weekly" ...] [--trials 30] [--steps 200]
        [--seed 0] [--finals 3] [--out scores.json]
    python benchmarks/tuning.py --kill [--processes 4] [--trials 100] [--every 10]

The sets are in the folder RECURRA_DATA: ten of the UCR archive, and the weekly series of M4, with
their published test parts. The search sees the training part alone; the test part is scored in the
end, for the default and for what the search has taken, which may be the default. Both are trained
as long as is usual then, whatever --steps says of the trials, and with each of --finals seeds. One
process, and as many threads as OMP_NUM_THREADS says. M4 weekly is scored by sMAPE, MASE (season 1,
as in the competition) and OWA.

With --kill, processes search together in one file, and every so many seconds one of those at work
is killed and another begun. In the end each trial is to be finished once.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import multiprocessing
import os
import random
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone

import recurra as rc
from recurra.data import from_ucr
from recurra.evaluation import Naive2
from recurra.metrics import mase, owa, smape
from recurra.tuning import Origins, Real, Tuning, Whole
from recurra.tuning.configured import configured

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("RECURRA_DATA", ROOT.parent / "shared" / "data"))
UCR = [
    *("ECG200", "GunPoint", "ItalyPowerDemand", "SyntheticControl", "Trace", "TwoLeadECG"),
    *("SonyAIBORobotSurface1", "GesturePebbleZ1", "DodgerLoopGame", "MelbournePedestrian"),
]
WEEKLY, H = "M4 weekly", 13
Score: TypeAlias = Callable[[Any], dict[str, float]]
Compared: TypeAlias = tuple[Tuning, dict[str, float], dict[str, float]]


@dataclass(frozen=True)
class Budget:
    """How much is tried: trials, steps of each, seed of the search; seeds of the last trainings."""

    trials: int
    steps: int | None
    seed: int
    finals: int

    def search(self, model: Any, data: Any, **how: Any) -> Tuning:
        """Search; trials may be shorter than the last trainings."""
        shorter = {} if self.steps is None else {"training.steps": self.steps}
        model, how = configured(model, shorter), {**how, "refit": False, "progress": False}
        return rc.tune(model, data, trials=self.trials, seed=self.seed, **how)

    def compared(self, model: Any, found: Tuning, score: Score) -> Compared:
        """Score the default, and what was taken if it is another."""
        plain = self.scored(model, score)
        if not found.parameters:
            return found, plain, plain
        return found, plain, self.scored(configured(model, found.parameters), score)

    def scored(self, model: Any, score: Score) -> dict[str, float]:
        """Score a configuration: the mean over seeds."""
        seeds = range(self.seed, self.seed + self.finals)
        return (
            pd.DataFrame([score(clone(model).set_params(seed=s)) for s in seeds]).mean().to_dict()
        )


def ucr(name: str, budget: Budget) -> Compared:
    """Search on the training part of a set; score on its test part."""
    folder = DATA / "cls_ucr_dev" / name
    train, test = (from_ucr(folder / f"{name}_{part}.tsv.gz") for part in ("TRAIN", "TEST"))

    def score(model: rc.Classifier) -> dict[str, float]:
        return {each.measure: each.value for each in model.fit(train).scores(test)}

    model = rc.Classifier(seed=budget.seed)
    return budget.compared(model, budget.search(model, train), score)


def weekly(budget: Budget) -> Compared:
    """Search on the series before the competition's last weeks; score on those."""
    folder = DATA / "fc_m4_weekly"
    train, test = (
        read_series(folder / "Weekly-train.csv.gz"),
        read_series(folder / "Weekly-test.csv"),
    )
    ids = np.repeat(list(train), [len(each) for each in train.values()])
    steps = np.concatenate([np.arange(len(each)) for each in train.values()])
    frame = pd.DataFrame({"unique_id": ids, "ds": steps, "y": np.concatenate([*train.values()])})
    simple = np.array([Naive2(1).forecast(each, H) for each in train.values()])
    reference = errors(simple, train, test)

    def score(model: rc.Forecaster) -> dict[str, float]:
        table = model.fit(frame).predict(H)
        one = errors(table.iloc[:, -1].to_numpy().reshape(-1, H), train, test)
        return {"sMAPE": one[0], "MASE": one[1], "OWA": owa(*one, *reference)}

    model = rc.Forecaster(seed=budget.seed)
    found = budget.search(model, frame, by=Origins(H, 3), metric="OWA")
    return budget.compared(model, found, score)


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


def compare(names: list[str], budget: Budget, out: Path | None) -> None:
    """Print what was searched on, and both scores on the test part."""
    told = {}
    print(f"{budget}, {torch.get_num_threads()} threads", flush=True)
    for name in names:
        begun = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found, plain, tuned = weekly(budget) if name == WEEKLY else ucr(name, budget)
        print(f"\n{name} ({time.perf_counter() - begun:.0f} s)\n{found}")
        print(f"  {'on the test part':20} {'default':>10} {'tuned':>10}")
        for key, value in plain.items():
            print(f"  {key:20} {value:10.4f} {tuned[key]:10.4f}", flush=True)
        told[name] = {"default": plain, "tuned": tuned}
        told[name] |= {
            "parameters": found.parameters,
            "decision": [str(each) for each in found.confirmations],
        }
        if out is not None:
            out.write_text(json.dumps(told, indent=2))


def worker(storage: str, trials: int) -> None:
    """Search with others, on a small network."""
    folder = DATA / "cls_ucr_dev" / "ItalyPowerDemand"
    train = from_ucr(folder / "ItalyPowerDemand_TRAIN.tsv.gz")
    model = rc.Classifier(hidden_size=8, front=None, training=rc.Training(steps=60))
    space = {"hidden_size": Whole(4, 12), "training.learning_rate": Real(1e-3, 3e-2, log=True)}
    how = {"space": space, "refit": False, "progress": False}
    rc.tune(model, train, trials=trials, storage=storage, **how)


def begin(storage: str, trials: int) -> multiprocessing.Process:
    """Begin a process, forked off one that has imported everything and trained nothing."""
    process = multiprocessing.get_context("fork").Process(target=worker, args=(storage, trials))
    process.start()
    return process


def kill(processes: int, trials: int, every: float) -> None:
    """Let processes search together, kill one again and again, and count what came of it."""
    from recurra.tuning import board  # noqa: F401 - here, so that no process that is begun need

    with tempfile.TemporaryDirectory() as folder:
        storage, killed, begun = str(Path(folder) / "study.journal"), 0, time.monotonic()
        workers = [begin(storage, trials) for _ in range(processes)]
        while any(each.is_alive() for each in workers):
            time.sleep(every)
            alive = [place for place, each in enumerate(workers) if each.is_alive()]
            if len(alive) == processes:
                place = random.choice(alive)
                workers[place].kill()
                workers[place].join()
                workers[place], killed = begin(storage, trials), killed + 1
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
    parser.add_argument("--steps", type=int, help="of a trial's trainings; as usual by default")
    parser.add_argument("--seed", type=int, default=0, help="of the search")
    parser.add_argument("--finals", type=int, default=3, help="seeds whose last trainings count")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--every", type=float, default=10.0)
    options = parser.parse_args()
    if options.kill:
        kill(options.processes, options.trials or 100, options.every)
    else:
        budget = Budget(options.trials or 30, options.steps, options.seed, options.finals)
        compare(options.sets, budget, options.out)


if __name__ == "__main__":
    main()
