"""Learn the maps of channels: from the training part, or from each record."""

from __future__ import annotations

import numpy as np

from recurra.data.treatments.scaling import CONSTANT, NEVER, PLAIN, Scaling
from recurra.errors import DataError
from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["learn_scaling", "record_scaling"]

MOST_KNOTS = 1000
MOST_FITTED = 100_000
"""Values that a power is fitted to; of more, these many evenly chosen."""
SMALLEST = 1e-150
"""A smaller spread counts as none, so that nothing becomes infinite."""


def learn_scaling(method: str, seen: Floats) -> Scaling:
    """Learn the map of one channel.

    Parameters
    ----------
    method : str
        One of `SCALE_METHODS`.
    seen : ndarray of float64, shape (values,)
        What was observed of it.

    Returns
    -------
    Scaling
        The map; a plain difference where all values are equal.

    Examples
    --------
    >>> learn_scaling("minmax", np.array([2.0, 6.0])).forward(np.array([3.0, 10.0]))
    array([0.25, 2.  ])
    """
    if not seen.size:
        return Scaling(method, sort=NEVER)
    if np.isin(seen, (0.0, 1.0)).all():
        return Scaling(method, sort=PLAIN)
    if method == "quantile":
        return _learn_knots(seen)
    unit, power, knots = 1.0, 1.0, np.zeros(1)
    if method == "log":
        unit = float(np.median(np.abs(seen[seen != 0])))
    elif method == "yeo-johnson":
        unit = float(seen.std()) if seen.min() < seen.max() else abs(float(seen[0]))
        unit = unit if unit > SMALLEST else 1.0
        power = _learn_power(seen / unit)
    elif method == "boxcox":
        unit = _positive_unit(seen)
        power, knots = _learn_power(seen / unit, boxcox=True), np.array([seen.min() / unit])
    t = Scaling(method, unit=unit, power=power, knots=knots).forward(seen)
    centre, spread = _centre_and_spread(method, t)
    if spread > SMALLEST:
        return Scaling(method, centre, spread, unit, power, knots)
    return Scaling(method, float(t.min()), 1.0, unit, power, knots, sort=CONSTANT)


def record_scaling(
    method: str, values: Array, observed: Booleans, offsets: Integers
) -> tuple[Floats, Floats]:
    """Find centre and spread of one channel in each record.

    Parameters
    ----------
    method : {"standard", "robust", "minmax"}
        What they are.
    values : ndarray, shape (steps,)
        The values.
    observed : ndarray of bool, shape (steps,)
        Where there is one.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.

    Returns
    -------
    centre, spread : ndarray of float64, shape (records,)
        NaN for both where nothing was observed, for the spread where all values are equal.

    Examples
    --------
    >>> record_scaling("minmax", np.array([1.0, 3.0, 9.0]), np.ones(3, bool), np.array([0, 2, 3]))
    (array([1., 9.]), array([ 2., nan]))
    """
    there = np.flatnonzero(observed)
    edges = np.searchsorted(there, offsets)
    count, record = np.diff(edges), np.repeat(np.arange(len(offsets) - 1), np.diff(edges))
    seen = values[there].astype(np.float64)
    seen = seen[np.lexsort((seen, record))]
    some = count > 0
    centre, spread = np.full(len(count), np.nan), np.full(len(count), np.nan)
    low, high = seen[edges[:-1][some]], seen[edges[1:][some] - 1]
    if method == "minmax":
        centre[some], spread[some] = low, high - low
    elif method == "robust":
        first, middle, third = (_level(seen, edges[:-1][some], count[some], q) for q in (1, 2, 3))
        centre[some], spread[some] = middle, third - first
    else:
        mean = np.bincount(record, seen, len(count))[some] / count[some]
        centre[some] = np.where(low == high, low, mean)
        squares = np.bincount(record, (seen - centre[record]) ** 2, len(count))[some]
        spread[some] = np.sqrt(squares / count[some])
    spread[~(spread > SMALLEST)] = np.nan
    return centre, spread


def _centre_and_spread(method: str, t: Floats) -> tuple[float, float]:
    """Find the centre and the spread of what was observed; no spread where all is equal."""
    low, high = float(t.min()), float(t.max())
    if low == high:
        return low, 0.0
    if method == "minmax":
        return low, high - low
    if method == "robust":
        first, middle, third = np.quantile(t, (0.25, 0.5, 0.75))
        return float(middle), float(third - first) or float(t.std())
    return float(t.mean()), float(t.std())


def _positive_unit(seen: Floats) -> float:
    """Give the geometric mean of positive numbers; refuse others."""
    if seen.min() <= 0:
        raise DataError(
            "Box and Cox take powers of positive numbers, but there is one that is not",
            code="not_positive",
            value=float(seen.min()),
            hint="Use Scale('log') or Scale('yeo-johnson'), or other channels.",
        )
    return float(np.exp(np.log(seen).mean()))


def _learn_power(seen: Floats, boxcox: bool = False) -> float:
    """Find the power of Box and Cox, or Yeo and Johnson, that makes values most nearly normal."""
    if seen.min() == seen.max():
        return 1.0
    from scipy.optimize import minimize_scalar
    from scipy.stats import boxcox_llf, yeojohnson_llf

    likelihood = boxcox_llf if boxcox else yeojohnson_llf

    some = seen[:: -(-len(seen) // MOST_FITTED)]
    with np.errstate(all="ignore"):
        best = minimize_scalar(
            lambda power: -likelihood(power, some), bounds=(0, 2), method="bounded"
        )
    return float(best.x)


def _learn_knots(seen: Floats) -> Scaling:
    """Lay knots at quantiles, with the scores a normal distribution has there."""
    from scipy.special import ndtri

    count = len(seen)
    inner = (np.arange(min(count, MOST_KNOTS)) + 0.5) / min(count, MOST_KNOTS)
    levels = np.unique(np.concatenate([[0.5 / count], inner, [1 - 0.5 / count]]))
    knots, place = np.unique(np.quantile(seen, levels, method="hazen"), return_inverse=True)
    scores = ndtri(levels)
    scores = np.bincount(place, scores) / np.bincount(place)
    reach = knots[-1] - knots[0]
    if not reach > SMALLEST:
        return Scaling("quantile", knots=knots[:1], scores=np.zeros(1), sort=CONSTANT)
    return Scaling(
        "quantile", unit=float(reach / (scores[-1] - scores[0])), knots=knots, scores=scores
    )


def _level(seen: Floats, starts: Integers, count: Integers, quarters: int) -> Floats:
    """Take a quartile of each run of sorted numbers."""
    place = (count - 1) * quarters / 4
    below = np.floor(place).astype(np.int64)
    share = place - below
    a, b = seen[starts + below], seen[starts + np.minimum(below + 1, count - 1)]
    return a + share * (b - a)
