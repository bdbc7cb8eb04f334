"""Whether explanations of series find what was planted: a lag, a covariate, a cell of a row.

    python benchmarks/series_explanations.py [--cases 100] [--networks 4] [--problems lag-7 …]

As `explanations.py`, for the tasks that go on in time. A case counts only where what was planted
keeps away from the mean, which is the baseline, and where the network answers it well.

lag-7, lag-12   a series copies its value of 7, or 12, steps ago, and some noise      that step
price           one of three future covariates moves a series                         its last value
row             a channel of the next row copies another one of four rows ago         that cell
odd             one value of five waves leaves the range of what was seen             that cell
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from explanations import judge_all

from recurra import Columns, Forecaster, Training
from recurra.estimators import AnomalyDetector, NextStep
from recurra.explaining import Explanation, Question, explain

METHODS = ("integrated gradients", "occlusion", "gradient x input", "gradient")
STEPS, SERIES, NOISE, NEAR = 120, 40, 0.2, 0.5

Asked = tuple[Question, Any, tuple[Any, ...]]  # and what is to be ranked first, in which stream


def training(steps: int) -> Training:
    """Train for so long, quietly."""
    return Training(steps=steps, progress=False)


def lag(back: int, seed: int) -> Iterator[Asked]:
    """Ask of series that copy themselves."""
    chance, parts = np.random.default_rng(seed), []
    for name in range(SERIES):
        values = [*chance.normal(size=back)]
        while len(values) < STEPS:
            values.append(values[-back] + NOISE * chance.normal())
        parts.append(pd.DataFrame({"unique_id": name, "ds": range(STEPS), "y": values}))
    frame = pd.concat(parts, ignore_index=True)
    model = Forecaster(hidden_size=16, season_length=back, training=training(400), seed=seed)
    model.fit(frame)
    forecast = model.predict(1).set_index("unique_id")["LSTM"]
    for name, part in frame.groupby("unique_id"):
        question = model._question(part, 1, None, None).at(1)
        usual = float(question.reads["target"].baseline[0, 0])
        copied = part["y"].iloc[-back]
        if abs(copied - usual) > NEAR and abs(forecast[name] - copied) < NEAR:
            yield question, "target", (STEPS - back, "y")


def price(seed: int) -> Iterator[Asked]:
    """Ask of series that one covariate moves."""
    chance, parts = np.random.default_rng(seed), []
    for name in range(SERIES):
        sizes = chance.uniform(0.7, 2, (STEPS, 3)) * chance.choice([-1, 1], (STEPS, 3))
        part = pd.DataFrame(sizes, columns=["price", "heat", "noise"])
        moves = 3 * part["price"] + NOISE * chance.normal(size=STEPS)
        parts.append(part.assign(unique_id=name, ds=range(STEPS), y=moves.cumsum()))
    frame = pd.concat(parts, ignore_index=True)
    before, after = frame[frame["ds"] < STEPS - 1], frame[frame["ds"] == STEPS - 1]
    columns = Columns(future=["price", "heat", "noise"])
    model = Forecaster(hidden_size=16, columns=columns, training=training(600), seed=seed)
    model.fit(before)
    forecast = model.predict(1, future=after.drop(columns="y"))["LSTM"].to_numpy()
    right = np.abs(forecast - after["y"].to_numpy()) < 2 * NEAR
    for name in np.flatnonzero(right):
        asked = model._question(before, 1, name, after[after["unique_id"] == name])
        yield asked.at(1), "future", (STEPS - 1, "price")


def row(seed: int) -> Iterator[Asked]:
    """Ask of the row that follows."""
    chance = np.random.default_rng(seed)
    records = chance.choice([-1.0, 1.0], (SERIES + 60, 60, 3)) * chance.uniform(
        0.5, 2.0, (SERIES + 60, 60, 3)
    )
    records[:, 4:, 0] = records[:, :-4, 1] + 0.05 * chance.normal(size=(SERIES + 60, 56))
    model = NextStep(hidden_size=32, training=training(500), seed=seed).fit([*records[SERIES:]])
    for each, said in zip(records[:SERIES], model.predict([*records[:SERIES]]), strict=True):
        if abs(said[0] - each[-4, 1]) < 2 * NEAR:
            yield model._question([each], 0), "x", (56, model.channels_[1])


def odd(seed: int) -> Iterator[Asked]:
    """Ask of the oddest step."""
    chance, time = np.random.default_rng(seed), np.arange(STEPS)[:, None] / 5 + np.arange(5)

    def waves() -> np.ndarray:
        return np.sin(time) + 0.05 * chance.normal(size=(STEPS, 5))

    model = AnomalyDetector(training=training(100), seed=seed).fit([waves() for _ in range(5)])
    for _ in range(SERIES):
        rows, step, channel = waves(), int(chance.integers(30, STEPS)), int(chance.integers(5))
        rows[step, channel] += 6.0
        if int(np.nanargmax(model.score_samples([rows])[0])) == step:
            yield model._question([rows], None), "x", (step, model.channels_[channel])


PROBLEMS: dict[str, Callable[[int], Iterator[Asked]]] = {
    "lag-7": lambda seed: lag(7, seed),
    "lag-12": lambda seed: lag(12, seed),
    "price": price,
    "row": row,
    "odd": odd,
}


def first_of(why: Explanation, stream: str) -> tuple[Any, ...]:
    """Name the cell of a stream that is ranked first."""
    scores, read = np.abs(why.scores[stream]), why.reads[stream]
    step, channel = np.unravel_index(int(scores.argmax()), scores.shape)
    return read.steps[step], read.channels[channel]


def judge(name: str, networks: int, cases: int) -> None:
    """Train, explain, count, print."""
    found: dict[str, list[bool]] = {method: [] for method in METHODS}
    luck: dict[str, list[bool]] = {method: [] for method in METHODS}
    ranks: dict[str, list[float]] = {method: [] for method in METHODS}
    seconds, misses = dict.fromkeys(METHODS, 0.0), [0.0]
    each = -(-cases // networks)
    for seed in range(networks):
        for place, (question, stream, planted) in enumerate(PROBLEMS[name](seed)):
            if place == each:
                break
            for method in METHODS:
                begun = perf_counter()
                why = explain(question, method, "step and channel")
                seconds[method] += perf_counter() - begun
                found[method].append(first_of(why, stream) == planted)
                untrained = question.randomised(1000 * seed + place)
                other = explain(untrained, method, "step and channel", checks=False)
                luck[method].append(first_of(other, stream) == planted)
                ranks[method].append(why.checks.randomised)
                if why.checks.completeness is not None:
                    misses.append(why.checks.completeness)
    print(f"{name}: {networks} networks")
    for method in METHODS:
        count = len(found[method])
        print(
            f"  {method:20}  {sum(found[method])} of {count} right; by random weights "
            f"{sum(luck[method])} right, rank correlation {np.nanmean(ranks[method]):+.2f}; "
            f"{1000 * seconds[method] / count:.0f} ms with checks"
        )
    print(f"  completeness error at most {max(misses):.2%}", flush=True)


if __name__ == "__main__":
    judge_all(PROBLEMS, judge, __doc__)
