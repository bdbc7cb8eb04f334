"""How well patterns of missing values are recognised: plant them, ask, and count the answers.

python benchmarks/missingness.py --cases 50 --seeds 0 1 2
"""

from __future__ import annotations

import argparse
from collections import Counter
from time import perf_counter

import numpy as np

from recurra.auditing.missingness import Missingness, find_pattern
from recurra.testing.missingness import CLOCKS, PLANTS, Plant, draw_clock, plant

SHARES = (0.05, 0.2, 0.6, 0.9)
STRUCTURE = ("seasonal", "yearly", "periodic", "recurring", "contiguous", "scattered")


def right(found: Missingness, truth: Plant) -> bool:
    """Whether pattern and period are right: the period to 1 % if exact, to 10 % if it recurs."""
    if found.pattern != truth.pattern:
        return False
    if truth.period is None:
        return found.period is None
    tolerance = 0.1 if truth.pattern == "recurring" else 0.01
    return found.period is not None and abs(found.period / truth.period - 1) <= tolerance


def ask(pattern: str, share: float, rng: np.random.Generator, noise: float):
    """Plant a pattern on a clock that can show it, and ask."""
    while True:
        clock = draw_clock(str(rng.choice(CLOCKS)), rng)
        truth = plant(pattern, share, clock, rng, noise=noise)
        if truth is not None:
            found = find_pattern(truth.observed, clock.times, clock.offsets, unit=clock.unit)
            return clock, truth, found


def false_alarms(rng: np.random.Generator, cases: int) -> int:
    """Count the claims of structure where nothing is missing, or each value by its own coin."""
    alarms = 0
    for case in range(cases):
        clock = draw_clock(str(rng.choice(CLOCKS)), rng)
        share = 0.0 if case % 5 == 0 else rng.uniform(0.01, 0.97)
        observed = rng.random(len(clock.times)) >= share
        found = find_pattern(observed, clock.times, clock.offsets, unit=clock.unit)
        alarms += found.pattern in STRUCTURE
    return alarms


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20, help="of each pattern and share, a seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--noise", type=float, default=0.0, help="only where there is a cycle")
    parser.add_argument("--show", action="store_true", help="print each wrong answer")
    options = parser.parse_args()
    answers: Counter[tuple[str, float, str]] = Counter()
    good: Counter[tuple[str, float]] = Counter()
    alarms, begun = 0, perf_counter()
    names = PLANTS[4:] if options.noise else PLANTS
    for seed in options.seeds:
        rng = np.random.default_rng(seed)
        for name in names:
            for share in SHARES:
                for _ in range(options.cases):
                    clock, truth, found = ask(name, share, rng, options.noise)
                    answers[truth.pattern, share, found.pattern] += 1
                    good[truth.pattern, share] += right(found, truth)
                    if options.show and not right(found, truth):
                        print(
                            seed,
                            share,
                            clock.kind,
                            np.diff(clock.offsets),
                            truth.pattern,
                            truth.period,
                            truth.share,
                            "->",
                            found,
                        )
        alarms += false_alarms(rng, 200)
    told = sorted({answer for _, _, answer in answers})
    print(f"{'planted':12}{'share':>6}{'right':>8}  " + "".join(f"{one:>12}" for one in told))
    for (name, share), count in sorted(good.items()):
        row = [answers[name, share, one] for one in told]
        cells = "".join(f"{one or '.':>12}" for one in row)
        print(f"{name:12}{share:6.0%}{count / sum(row):8.1%}  {cells}")
    total = answers.total()
    print(f"right, with the period: {good.total()} of {total}, {good.total() / total:.2%}")
    asked = 200 * len(options.seeds)
    print(f"structure claimed where there is none: {alarms} of {asked}, {alarms / asked:.2%}")
    print(f"{perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
