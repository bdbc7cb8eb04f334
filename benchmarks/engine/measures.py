"""From answers and times to numbers: is it right, how much work is it, how do they compare."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, inf, log, prod
from statistics import median, quantiles
from typing import Any

import numpy as np
from plan import GEMMS, OURS
from shared import Arrays, Case, draw_lengths, gemm_shape

TOLERANCE = 1e-4
Row = dict[str, Any]


def difference(found: Arrays, wanted: Arrays, case: Case) -> float:
    """Largest difference in any array, over the largest value wanted there.

    Outputs, last states and, in training, gradients; of outputs only the real steps.
    """
    worst = 0.0
    real = np.arange(case.shape[1])[:, None] < draw_lengths(case)
    for name in found.keys() & wanted.keys():
        a, b = found[name].astype(float), wanted[name].astype(float)
        if a.shape != b.shape:
            return inf
        if name == "output":
            a, b = a[real], b[real]
        gap = float(np.max(np.abs(a - b)) / max(float(np.max(np.abs(b))), 1e-30))
        worst = max(worst, gap if np.isfinite(gap) else inf)
    return worst


def flops(case: Case) -> int:
    """Count the products' operations: 2 S G H (I + H) forward, S the real steps.

    Training does three times as much, less the gradient of the input, which nobody asks for.
    """
    _, _, inputs, hidden = case.shape
    once = 2 * int(draw_lengths(case).sum()) * case.gates * hidden
    forward = once * (inputs + hidden)
    return 3 * forward - once * inputs if case.training else forward


def summarise(case: Case, medians: dict[str, list[float]]) -> Row:
    """Microseconds a call, times against ours, shares of the rate of the matrix product."""
    times = {key: median(seconds) for key, seconds in medians.items()}
    rates = {key: 2 * prod(gemm_shape(key, case)) / times.pop(key) for key in GEMMS if key in times}
    work = flops(case)
    ours = times.get(OURS)
    return {
        "case": {**vars(case), "layout": case.layout},
        "flops": work,
        "micros": {key: round(1e6 * seconds, 3) for key, seconds in times.items()},
        "ratio": {key: round(seconds / ours, 4) for key, seconds in times.items()} if ours else {},
        "share": {
            gemm: {key: round(work / seconds / rate, 4) for key, seconds in times.items()}
            for gemm, rate in rates.items()
        },
        "gemm_gflops": {key: round(rate / 1e9, 2) for key, rate in rates.items()},
        "spread": {key: round(spread(seconds), 3) for key, seconds in medians.items()},
        "round_micros": {k: [round(1e6 * s, 3) for s in rounds] for k, rounds in medians.items()},
    }


def spread(values: list[float]) -> float:
    """The middle half's width over the median."""
    if len(values) < 2:
        return 0.0
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return (high - low) / middle


def geometric_mean(values: Iterable[float]) -> float:
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs))
