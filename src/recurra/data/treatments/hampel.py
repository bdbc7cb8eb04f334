"""The median and the spread of a moving window of observed values, on flat records."""

from __future__ import annotations

import numpy as np

from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["window_limits"]

MAD_TO_STD = 1.4826
FEWEST = 3
"""A window of fewer values says nothing."""
BLOCK = 1 << 16


def window_limits(
    values: Array,
    observed: Booleans,
    offsets: Integers,
    window: int,
    centred: bool,
    threshold: float,
    spread: float,
) -> tuple[Floats, Floats]:
    """Find how far each value may be from the median of its window.

    Parameters
    ----------
    values : ndarray, shape (steps,)
        The values.
    observed : ndarray of bool, shape (steps,)
        Where there is one; the others are passed over.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts; no window reaches into another.
    window : int
        How many values it has, the value itself among them; fewer near the ends of a record.
    centred : bool
        Whether it lies around the value, or ends with it.
    threshold : float
        How many spreads a value may be away.
    spread : float
        What stands for the spread of a window whose values are mostly equal.

    Returns
    -------
    low, high : ndarray of float64, shape (steps,)
        Infinite where nothing can be said.

    Examples
    --------
    >>> values = np.array([1.0, 2.0, 3.0, 2.0, 99.0])
    >>> low, high = window_limits(values, values > 0, np.array([0, 5]), 5, False, 3.0, 1.0)
    >>> high.round(1)
    array([inf, inf, 6.4, 4.2, 6.4])
    """
    low, high = np.full(len(values), -np.inf), np.full(len(values), np.inf)
    there = np.flatnonzero(observed)
    seen = values[there].astype(np.float64)
    edges = np.searchsorted(there, offsets)
    record = np.repeat(np.arange(len(offsets) - 1), np.diff(edges))
    before = (window - 1) // 2 if centred else window - 1
    reach = np.arange(-before, window - before)
    for start in range(0, len(there), BLOCK):
        own = np.arange(start, min(start + BLOCK, len(there)))
        places = own[:, None] + reach
        inside = (places >= edges[record[own]][:, None]) & (
            places < edges[record[own] + 1][:, None]
        )
        around = np.where(inside, seen[np.clip(places, 0, len(seen) - 1)], np.nan)
        count = inside.sum(1)
        middle = _medians(around, count)
        away = MAD_TO_STD * _medians(np.abs(around - middle[:, None]), count)
        away = threshold * np.where(away > 0, away, spread)
        away[count < FEWEST] = np.inf
        low[there[own]], high[there[own]] = middle - away, middle + away
    return low, high


def _medians(rows: Floats, count: Integers) -> Floats:
    """Take the median of the first numbers of each row, which NaN follow once it is sorted."""
    ordered = np.sort(rows, axis=1)
    each = np.arange(len(rows))
    found: Floats = (ordered[each, (count - 1) // 2] + ordered[each, count // 2]) / 2
    return found
