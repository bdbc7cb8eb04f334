"""Which forecasts are averaged, with which weights: greedy selection on the validation windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recurra.data import Panel
    from recurra.tuning.auto_windows import Windows
    from recurra.types import Booleans, Floats

__all__ = ["COSTS", "Selection", "averaged", "best_reach", "limited", "select"]

ROUNDS = 20  # each adds a twentieth of the weight
CONSIDERED = 20  # of the best,
WORST = 1.3  # and none that costs so many times what the best does
REACHES = (1.0, 0.5, 0.25, np.inf)  # ranges of the past that a forecast may lie beyond it

COSTS = len(REACHES) * ROUNDS * CONSIDERED
"""How often forecasts are scored at most while some are chosen."""


@dataclass(frozen=True)
class Selection:
    """What is averaged.

    Parameters
    ----------
    weights : tuple of float
        Of each forecast; they sum to 1.
    reach : float
        How far beyond the past forecasts may go, in ranges of the past.
    cost : float
        On the validation windows.
    """

    weights: tuple[float, ...]
    reach: float
    cost: float


def select(
    forecasts: Sequence[Floats],
    costs: Sequence[float],
    windows: Windows,
    measure: str,
    most: int,
) -> Selection:
    """Choose with replacement, each time what makes the average best.

    Parameters
    ----------
    forecasts : sequence of ndarray, shape (seeds, origins, series, h)
        Of each model.
    costs : sequence of float
        What each scores alone; infinite for what is not to be chosen.
    windows : Windows
        The validation windows.
    measure : str
        What is made small.
    most : int
        Different models at most.

    Returns
    -------
    Selection
        The weights, and how far the average may go.

    References
    ----------
    Caruana, Niculescu-Mizil, Crew & Ksikes (2004), Ensemble selection from libraries of models.
    ICML.
    """
    order = [int(each) for each in np.argsort(costs, kind="stable") if np.isfinite(costs[each])]
    order = [each for each in order if costs[each] <= WORST * costs[order[0]]][:CONSIDERED]
    found = []
    for reach in REACHES:
        within = {each: averaged(forecasts[each], windows, reach) for each in order}
        cost, chosen = _greedy(within, windows, measure, most)
        counts = np.bincount(chosen, minlength=len(forecasts)) / len(chosen)
        found.append(Selection(tuple(counts.tolist()), reach, cost))
    return min(found, key=lambda each: each.cost)


def _greedy(
    forecasts: dict[int, Floats], windows: Windows, measure: str, most: int
) -> tuple[float, list[int]]:
    """Give the least cost, and what was chosen for it."""
    total: Floats = np.zeros_like(windows.actual)
    chosen: list[int] = []
    costs: list[float] = []
    for count in range(1, ROUNDS + 1):
        open_ = list(dict.fromkeys(chosen)) if len(set(chosen)) >= most else list(forecasts)
        tried = [windows.cost((total + forecasts[each]) / count, measure) for each in open_]
        best = int(np.argmin(tried))
        total = total + forecasts[open_[best]]
        chosen.append(open_[best])
        costs.append(tried[best])
    last = int(np.argmin(costs)) + 1
    return min(costs), chosen[:last]


def best_reach(forecasts: Floats, windows: Windows, measure: str) -> tuple[float, float]:
    """Say how far forecasts may best go beyond the past.

    Parameters
    ----------
    forecasts : ndarray, shape (seeds, origins, series, h)
        The forecasts of a model.
    windows : Windows
        The validation windows.
    measure : str
        What is made small.

    Returns
    -------
    cost : float
        The least; infinite where forecasts are not finite.
    reach : float
        Where it is so; without a limit only where none does as well.
    """
    if not np.isfinite(forecasts).all():
        return np.inf, np.inf
    found = [windows.cost(averaged(forecasts, windows, reach), measure) for reach in REACHES]
    least = int(np.argmin(found))
    return found[least], REACHES[least]


def averaged(forecasts: Floats, windows: Windows, reach: float) -> Floats:
    """Average over the seeds of a model what is kept near the past.

    Parameters
    ----------
    forecasts : ndarray, shape (seeds, origins, series, h)
        The forecasts.
    windows : Windows
        The validation windows.
    reach : float
        As for :func:`limited`.

    Returns
    -------
    ndarray, shape (origins, series, h)
        The average.
    """
    pasts = [each.train for each in windows.windows]
    kept = [
        np.stack([limited(part, past, reach) for part, past in zip(each, pasts, strict=True)])
        for each in forecasts
    ]
    return np.mean(kept, axis=0)


def limited(forecast: Floats, past: Panel, reach: float) -> Floats:
    """Keep forecasts near the past.

    Parameters
    ----------
    forecast : ndarray, shape (series, h)
        The forecast.
    past : Panel
        What it follows.
    reach : float
        How far beyond the least and the greatest value it may go, in units of the distance between
        both.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    if reach == np.inf:
        return forecast
    hidden: Booleans = np.isnan(past.target)
    starts = past.offsets[:-1]
    low = np.minimum.reduceat(np.where(hidden, np.inf, past.target), starts)
    high = np.maximum.reduceat(np.where(hidden, -np.inf, past.target), starts)
    beyond = reach * (high - low)
    return np.clip(forecast, (low - beyond)[:, None], (high + beyond)[:, None])
