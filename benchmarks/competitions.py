"""Accuracy on competition data: M4 hourly, M4 weekly and M3 monthly, and coverage on random walks.

One default configuration for all of them. The data are found through RECURRA_DATA; sMAPE, MASE and
OWA are the M4 competition's, against its Naive2 computed here. The published rows are those of the
competition sheets and of the M3 submissions.

    python benchmarks/competitions.py [--seeds 0 1 2] [--out scores.json]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from recurra import Forecaster
from recurra.estimators import Baseline, Naive2, SeasonalNaive
from recurra.metrics import coverage, mase, owa, smape

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("RECURRA_DATA", ROOT.parent / "shared" / "data"))
LEVELS = [80, 95]
Series = dict[str, np.ndarray]


@dataclass(frozen=True)
class Competition:
    """Series with a future, and who forecast it before."""

    name: str
    train: Series
    test: Series
    season_length: int
    published: dict[str, tuple[float, float | None]]

    @property
    def h(self) -> int:
        return len(next(iter(self.test.values())))

    @property
    def frame(self) -> pd.DataFrame:
        sizes = [len(each) for each in self.train.values()]
        ids = np.repeat(list(self.train), sizes)
        steps = np.concatenate([np.arange(size) for size in sizes])
        return pd.DataFrame(
            {"unique_id": ids, "ds": steps, "y": np.concatenate(list(self.train.values()))}
        )

    def score(self, forecasts: np.ndarray) -> tuple[float, float]:
        pairs = list(zip(self.test.items(), forecasts, strict=True))
        errors = [mase(y, f, self.train[k], self.season_length) for (k, y), f in pairs]
        return float(np.mean([smape(y, f) for (_, y), f in pairs])), float(np.mean(errors))

    def baseline(self, model: Baseline) -> tuple[float, float]:
        return self.score(np.array([model.forecast(x, self.h) for x in self.train.values()]))


def m4(name: str, season_length: int, published: dict) -> Competition:
    folder = DATA / f"fc_m4_{name.lower()}"

    def read(part: str) -> Series:
        (path,) = folder.glob(f"{name}-{part}.csv*")
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        rows = list(csv.reader(text.splitlines()))[1:]
        return {row[0]: np.array([float(x) for x in row[1:] if x], float) for row in rows}

    train, test = read("train"), read("test")
    return Competition(f"M4 {name.lower()}", train, test, season_length, published)


def m3_monthly() -> Competition:
    with (DATA / "fc_m3" / "train.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["period"].upper() == "MONTHLY"]
    train = {row["id"]: np.array(row["x"].split(), float) for row in rows}
    with (DATA / "fc_m3" / "test.csv").open() as file:
        test = {
            row["id"]: np.array(row["xx"].split(), float)
            for row in csv.DictReader(file)
            if row["id"] in train
        }
    published = {"Theta (best of M3)": (13.89, None), "Auto-ANN": (15.03, None)}
    return Competition("M3 monthly", train, {k: test[k] for k in train}, 12, published)


def run(competition: Competition, seed: int) -> dict:
    begun = time.perf_counter()
    model = Forecaster(seed=seed).fit(competition.frame)
    fitted = time.perf_counter()
    table = model.predict(competition.h, level=LEVELS)
    done = time.perf_counter()
    actual = np.concatenate(list(competition.test.values()))
    score = competition.score(table["LSTM"].to_numpy().reshape(-1, competition.h))
    reference = competition.baseline(Naive2(competition.season_length))
    bounds = {
        level: coverage(actual, table[f"LSTM-lo-{level}"], table[f"LSTM-hi-{level}"])
        for level in LEVELS
    }
    return {
        "smape": score[0],
        "mase": score[1],
        "owa": owa(*score, *reference),
        "coverage": bounds,
        "fit_s": fitted - begun,
        "predict_s": done - fitted,
        "steps": len(model.log_.loss),
        "season_lengths": model.season_lengths_,
    }


def report(competition: Competition, runs: list[dict]) -> None:
    reference = competition.baseline(Naive2(competition.season_length))
    print(f"\n{competition.name}: {len(competition.train)} series, h={competition.h}")
    print(f"  {'':28} {'sMAPE':>7} {'MASE':>7} {'OWA':>7}  cover 80, 95")
    for seed, one in enumerate(runs):
        bounds = ", ".join(f"{100 * each:.1f}" for each in one["coverage"].values())
        cost = f"fit {one['fit_s']:.0f} s ({one['steps']} steps), predict {one['predict_s']:.0f} s"
        name = f"Recurra LSTM, run {seed + 1}"
        print(f"  {name:28} {row(one['smape'], one['mase'], one['owa'])}  {bounds}  {cost}")
    others = {
        "Seasonal naive": competition.baseline(SeasonalNaive(competition.season_length)),
        "Naive2": reference,
        **competition.published,
    }
    for name, (one, other) in others.items():
        relative = None if other is None else owa(one, other, *reference)
        print(f"  {name:28} {row(one, other, relative)}")


def row(*values: float | None) -> str:
    return " ".join(f"{'–' if value is None else format(value, '.3f'):>7}" for value in values)


def random_walks(seed: int) -> dict[int, float]:
    """Coverage at step 12 of 1,000 random walks of 100 to 200 steps."""
    random = np.random.default_rng(seed)
    sizes = random.integers(100, 201, size=1000)
    walks = [random.normal(size=size + 12).cumsum() for size in sizes]
    frame = pd.concat(
        pd.DataFrame({"unique_id": f"w{i}", "ds": np.arange(len(x) - 12), "y": x[:-12]})
        for i, x in enumerate(walks)
    )
    table = Forecaster(seed=seed).fit(frame).predict(12, level=LEVELS)
    last = table.groupby("unique_id", sort=False).tail(1)
    actual = np.array([x[-1] for x in walks])
    return {
        level: coverage(actual, last[f"LSTM-lo-{level}"], last[f"LSTM-hi-{level}"])
        for level in LEVELS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("one thread, default Forecaster()")
    sheet = {"RNN benchmark of M4": (14.698, 3.048), "ES-RNN (winner of M4)": (9.328, 0.893)}
    weekly = {"RNN benchmark of M4": (15.220, 5.132), "ES-RNN (winner of M4)": (7.817, 2.356)}
    found = {}
    for each in (m4("Hourly", 24, sheet), m4("Weekly", 1, weekly), m3_monthly()):
        found[each.name] = [run(each, seed) for seed in options.seeds]
        report(each, found[each.name])
    walks = [random_walks(seed) for seed in options.seeds]
    shown = "; ".join(", ".join(f"{100 * x:.1f}" for x in each.values()) for each in walks)
    print(f"\nRandom walks, coverage of 80, 95 % at step 12: {shown}")
    found["random walks"] = walks
    if options.out:
        options.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
