"""Whether explanations find what was planted: data of which it is known what matters.

    python benchmarks/explanations.py [--cases 100] [--networks 4] [--problems adding lag …]

Four problems. For each some small networks are trained, each on data with a place, a channel or
words of its own; then records that no network has seen are explained. A case is right where the
planted inputs, and no others, are ranked first. It counts only where the network itself answers it
well, and the share of those is printed. Values keep away from the mean, which is the baseline: what
equals the baseline has no score, by definition.

adding    two of 40 steps are marked; y is the sum of their values     the marked steps
lag       y is the value so many steps before the last, of 40          that step
channel   30 channels; the mean of one says the label                  that channel
keyword   one of two words among 20 of 300 says the label              that word
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from recurra import Classifier, Regressor, Training
from recurra.explaining import Explanation, explain

METHODS = ("integrated gradients", "occlusion", "gradient x input")
STEPS = 40


@dataclass
class Case:
    """Records to learn from and to explain, and what is to be found in each.

    Parameters
    ----------
    model : estimator
        What learns them.
    X, y : array-like
        To learn from.
    asked, truth : array-like
        To be explained.
    planted : list of set
        What is to be ranked first in each.
    by : str
        "step" or "channel".
    near : callable
        Whether an answer is right enough, of the answers and the truth.
    """

    model: Any
    X: Any
    y: Any
    asked: Any
    truth: Any
    planted: list[set[Any]]
    by: str
    near: Callable[[Any, Any], np.ndarray]


def apart(chance: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw values that keep away from 0."""
    return chance.uniform(0.5, 1.5, shape) * chance.choice([-1.0, 1.0], shape)


def adding(chance: np.random.Generator, seed: int, count: int) -> Case:
    records = 4000 + count
    values = apart(chance, (records, STEPS))
    places = np.array([chance.choice(STEPS, 2, replace=False) for _ in range(records)])
    marks = np.zeros_like(values)
    np.put_along_axis(marks, places, 1.0, 1)
    x, y = np.stack([values, marks], -1), (values * marks).sum(1)
    training = Training(steps=3000, batch_size=64, learning_rate=5e-3, progress=False)
    model = Regressor(
        hidden_size=32, pooling="last", dropout=0.0, input_dropout=0.0, training=training, seed=seed
    )
    planted = [{*map(int, each)} for each in places[-count:]]
    return Case(model, x[:-count], y[:-count], x[-count:], y[-count:], planted, "step", within(0.3))


def lag(chance: np.random.Generator, seed: int, count: int) -> Case:
    records, place = 4000 + count, int(STEPS - 1 - chance.integers(1, 20))
    x = apart(chance, (records, STEPS))
    y = x[:, place]
    training = Training(steps=3000, batch_size=64, learning_rate=5e-3, progress=False)
    model = Regressor(
        "lstm", hidden_size=48, pooling="last", dropout=0.0, input_dropout=0.0,
        memory=STEPS, training=training, seed=seed,
    )  # fmt: skip
    planted = [{place}] * count
    x = x[..., None]
    return Case(model, x[:-count], y[:-count], x[-count:], y[-count:], planted, "step", within(0.3))


def channel(chance: np.random.Generator, seed: int, count: int) -> Case:
    records, place = 1000 + count, int(chance.integers(30))
    y = chance.choice([-1, 1], records)
    x = chance.normal(size=(records, 20, 30))
    x[:, :, place] += y[:, None]
    training = Training(steps=400, batch_size=64, learning_rate=5e-3, progress=False)
    model = Classifier(hidden_size=16, training=training, seed=seed)
    planted = [{f"x{place}"}] * count
    return Case(model, x[:-count], y[:-count], x[-count:], y[-count:], planted, "channel", np.equal)


def keyword(chance: np.random.Generator, seed: int, count: int) -> Case:
    records = 1500 + count
    words = np.array([f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnrstvxzbcd"])
    chance.shuffle(words)
    keys, rest = words[:2], words[2:]
    y = chance.integers(0, 2, records)
    places = chance.integers(0, 20, records)
    texts = rest[chance.integers(0, len(rest), (records, 20))]
    texts[np.arange(records), places] = keys[y]
    x = [" ".join(each) for each in texts]
    training = Training(steps=600, batch_size=64, learning_rate=5e-3, progress=False)
    model = Classifier(hidden_size=16, training=training, seed=seed, unit="word")
    planted = [{str(key)} for key in keys[y[-count:]]]
    return Case(model, x[:-count], y[:-count], x[-count:], y[-count:], planted, "step", np.equal)


PROBLEMS = {"adding": adding, "lag": lag, "channel": channel, "keyword": keyword}


def within(distance: float) -> Callable[[Any, Any], np.ndarray]:
    """Say whether an answer is as near as this."""
    return lambda answers, truth: np.abs(answers - truth) < distance


def ranked_first(why: Explanation, count: int) -> set[Any]:
    """Name the parts that are ranked first."""
    return {part.step if part.channel is None else part.channel for part in why.top(count)}


def judge(name: str, networks: int, cases: int) -> None:
    """Train, explain, count, print."""
    found: dict[str, list[bool]] = {method: [] for method in METHODS}
    misses: list[float] = []
    ranks: dict[str, list[float]] = {method: [] for method in METHODS}
    below: dict[str, list[bool]] = {method: [] for method in METHODS}
    by_luck: dict[str, list[bool]] = {method: [] for method in METHODS}
    seconds = dict.fromkeys(METHODS, 0.0)
    good: list[float] = []
    for seed in range(networks):
        case = PROBLEMS[name](np.random.default_rng(seed), seed, 100)
        case.model.fit(case.X, case.y)
        right = case.near(case.model.predict(case.asked), case.truth)
        good.append(float(right.mean()))
        for place in np.flatnonzero(right)[: -(-cases // networks)]:
            for method in METHODS:
                begun = perf_counter()
                asked = case.asked[place : place + 1]
                why = case.model.explain(asked, method=method, by=case.by)
                seconds[method] += perf_counter() - begun
                wanted = case.planted[place]
                untrained = case.model._question(asked, None).randomised(int(place))
                luck = explain(untrained, method, case.by, checks=False)
                by_luck[method].append(ranked_first(luck, len(wanted)) == wanted)
                found[method].append(ranked_first(why, len(wanted)) == wanted)
                checks = why.checks
                assert checks is not None
                ranks[method].append(checks.randomised)
                below[method].append(checks.deletion.area < checks.deletion.random_area)
                if checks.completeness is not None:
                    misses.append(checks.completeness)
    shown = " ".join(f"{each:.0%}" for each in good)
    print(f"{name}: {networks} networks, which answer {shown} of unseen records well")
    for method in METHODS:
        count = len(found[method])
        rank = np.array(ranks[method])
        told = "" if np.isnan(rank).all() else f"{np.nanmean(rank):+.2f}"
        print(
            f"  {method:20}  {sum(found[method])} of {count} right; deletion below chance in "
            f"{sum(below[method])}; by random weights {sum(by_luck[method])} right, rank "
            f"correlation {told or '—'}; {1000 * seconds[method] / count:.0f} ms with checks"
        )
    print(f"  completeness error at most {max(misses):.2%}", flush=True)


def judge_all(problems: Iterable[str], judge: Callable[[str, int, int], None], about: str) -> None:
    """Judge the problems that are asked for."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--networks", type=int, default=4)
    parser.add_argument("--problems", nargs="+", choices=[*problems], default=[*problems])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in options.problems:
        judge(name, options.networks, options.cases)


if __name__ == "__main__":
    judge_all(PROBLEMS, judge, __doc__)
