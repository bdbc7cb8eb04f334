"""Whether permutation importance finds what was planted, in 100 random cases each.

Five kinds of data where it is known what matters; of each a few networks are trained, from
different seeds, and each is asked about many test sets of its own, drawn anew. Reported is in how
many cases what was planted comes first:

- channel: one informative channel of 30, whose mean is the answer; another for each network;
- adding: two random numbers are marked among 20, and their sum is the answer (Hochreiter &
  Schmidhuber 1997); ten channels of noise beside. Both channels, values and marks, come first;
- lag: the answer is what stood some steps before the end (3 to 8, by network), by step and by
  window;
- keyword: one word of 200 makes a text positive, by token;
- covariate: one future covariate of ten says how far series move each day, all of other levels.

``python benchmarks/importance.py`` prints the table; ``--networks``, ``--cases`` make it smaller.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from recurra import Classifier, Columns, Forecaster, Regressor, Training

QUIET = {"progress": False, "warmup": 20}


def channel(random: np.random.Generator):
    """One of 30 channels matters."""
    planted = int(random.integers(30))

    def draw(records: int):
        x = random.normal(size=(records, 12, 30))
        return x, 3 * x[:, :, planted].mean(1)

    model = Regressor(hidden_size=16, training=Training(300, **QUIET))
    return model, draw, 400, [("channel", {f"x{planted}"})]


def adding(random: np.random.Generator):
    """Two marked numbers are added."""

    def draw(records: int):
        x = random.normal(size=(records, 20, 12))
        x[:, :, 0], x[:, :, 1] = random.uniform(size=(records, 20)), 0.0
        places = random.random((records, 20)).argsort(1)[:, :2]
        np.put_along_axis(x[:, :, 1], places, 1.0, 1)
        return x, np.take_along_axis(x[:, :, 0], places, 1).sum(1)

    model = Regressor(hidden_size=32, dropout=0, input_dropout=0, training=Training(1500, **QUIET))
    return model, draw, 1500, [("channel", {"x0", "x1"})]


def lag(random: np.random.Generator):
    """What stood some steps before the end is copied."""
    back, steps = int(random.integers(3, 9)), 20
    planted = steps - 1 - back
    window = f"steps {planted // 2 * 2}–{planted // 2 * 2 + 1}"

    def draw(records: int):
        x = random.normal(size=(records, steps, 3))
        return x, x[:, planted, 1]

    model = Regressor(hidden_size=32, dropout=0, input_dropout=0, training=Training(800, **QUIET))
    return model, draw, 1500, [("step", {f"step {planted}"}), ("window", {window})]


def keyword(random: np.random.Generator):
    """One word makes a text positive."""
    words = np.array([f"w{k}" for k in range(200)])
    planted = str(random.choice(words))
    others = words[words != planted]

    def draw(records: int):
        texts, labels = [], np.arange(records) % 2
        for positive in labels:
            text = random.choice(others, random.integers(8, 16)).tolist()
            if positive:
                text[random.integers(len(text))] = planted
            texts.append(" ".join(text))
        return texts, np.where(labels, "yes", "no")

    model = Classifier(hidden_size=16, unit="word", training=Training(200, **QUIET))
    return model, draw, 400, [("token", {planted})]


def covariate(random: np.random.Generator):
    """One covariate of ten says how far a series moves."""
    names = [f"x{k}" for k in range(10)]
    planted, days = str(random.choice(names)), 120

    def draw(records: int):
        parts = []
        for k in range(max(records // 25, 1)):
            frame = pd.DataFrame(random.normal(size=(days, 10)), columns=names)
            moves = 3 * frame[planted] + random.normal(size=days)
            parts.append(
                frame.assign(unique_id=f"s{k}", ds=range(days), y=moves.cumsum() + 100 * k)
            )
        return (pd.concat(parts, ignore_index=True),)

    model = Forecaster(
        hidden_size=16, columns=Columns(future=names), training=Training(200, **QUIET)
    )
    return model, draw, 400, [("channel", {planted})]


TASKS = {each.__name__: each for each in (channel, adding, lag, keyword, covariate)}


def measure(name: str, networks: int, cases: int) -> None:
    """Count how often the planted inputs come first."""
    right: dict[str, int] = {}
    score, took = [], []
    for seed in range(networks):
        random = np.random.default_rng((seed, sum(map(ord, name))))
        model, draw, records, questions = TASKS[name](random)
        model.set_params(seed=seed).fit(*draw(records))
        share = range(seed, cases, networks)
        for case in share:
            given = draw(100)
            for by, planted in questions:
                begun = time.perf_counter()
                found = model.importance(*given, by=by, n_repeats=1, seed=case)
                took.append(time.perf_counter() - begun)
                score.append(found.score)
                first = set(found.ranked[: len(planted)])
                right[by] = right.get(by, 0) + (first == planted)
    for by, count in right.items():
        said = f"{name:10} by {by:8} {count:4} of {cases}"
        print(f"{said}   {found.measure} {np.mean(score):.3f}   {np.mean(took):.2f} s each")


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", type=int, default=4)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--only", choices=[*TASKS])
    given = parser.parse_args()
    print(
        f"planted inputs first, {given.networks} networks, test sets of 100 records, "
        "or of 4 series at 4 moments, one exchange"
    )
    for name in [given.only] if given.only else TASKS:
        measure(name, given.networks, given.cases)


if __name__ == "__main__":
    main()
