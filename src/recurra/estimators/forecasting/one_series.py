"""One series as an array: what was observed, how far ahead, its slope and its season."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from recurra.errors import DataError, OptionError, ShapeError
from recurra.types import Floats, Integers

__all__ = ["checked_season", "observed", "seasonal_indices", "slope", "steps_ahead"]


def observed(values: ArrayLike, h: int) -> tuple[Integers, Floats]:
    """Find what was observed, or refuse if there is nothing to go by.

    Parameters
    ----------
    values : array_like, shape (time,)
        The series up to now; NaN where nothing was observed.
    h : int
        How many steps are to be foretold.

    Returns
    -------
    at : ndarray of int64, shape (observed,)
        Positions.
    x : ndarray, shape (observed,)
        The values there.

    Raises
    ------
    OptionError, ShapeError, DataError
        If no step is to be foretold; if it is not one series; if no value is observed, or one is
        infinite.

    Examples
    --------
    >>> observed([1.0, float("nan"), 3.0], h=1)
    (array([0, 2]), array([1., 3.]))
    """
    x = np.asarray(values, dtype=np.float64)
    if h < 1:
        raise OptionError(f"h is {h}; foretell 1 step or more.")
    if x.ndim != 1:
        raise ShapeError(f"values has shape {x.shape}, but a baseline reads one series: (time,).")
    at = np.flatnonzero(~np.isnan(x))
    if not at.size:
        message = f"None of {x.size} values is observed"
        raise DataError(message, code="nothing_observed", hint="Leave this series out.")
    if np.isinf(x).any():
        first = int(np.flatnonzero(np.isinf(x))[0])
        hint = "Use NaN for a value that was not observed."
        raise DataError("A value is infinite", code="infinite_target", row=first, hint=hint)
    return at, x[at]


def checked_season(season_length: int) -> int:
    """Refuse what is no number of steps in a season.

    Parameters
    ----------
    season_length : int
        Steps in a season; 1 for none.

    Returns
    -------
    int
        The same.

    Raises
    ------
    OptionError
        If it is less than 1.

    Examples
    --------
    >>> checked_season(12)
    12
    """
    if season_length < 1:
        raise OptionError(f"season_length is {season_length}; use 1 or more (1 means no season).")
    return season_length


def steps_ahead(values: ArrayLike, at: Integers, h: int) -> Integers:
    """Count the steps from the last observed value to each foretold one.

    Parameters
    ----------
    values : array_like, shape (time,)
        The series up to now.
    at : ndarray of int64, shape (observed,)
        Where it was observed.
    h : int
        How many steps are to be foretold.

    Returns
    -------
    ndarray of int64, shape (h,)
        1, 2, … where the last value was observed.

    Examples
    --------
    >>> steps_ahead([1.0, 2.0, float("nan")], np.array([0, 1]), h=2)
    array([2, 3])
    """
    return np.size(values) - 1 - at[-1] + np.arange(1, h + 1)


def slope(at: Integers, x: Floats) -> float:
    """Say how much the series rises with each step, from the first observed value to the last.

    Parameters
    ----------
    at : ndarray of int64, shape (observed,)
        Where it was observed.
    x : ndarray, shape (observed,)
        The values there.

    Returns
    -------
    float
        The rise of a step; 0 where one value is all there is.

    Examples
    --------
    >>> slope(np.array([0, 1, 4]), np.array([1.0, 9.0, 3.0]))
    0.5
    """
    return float((x[-1] - x[0]) / (at[-1] - at[0])) if len(x) > 1 else 0.0


def seasonal_indices(x: Floats, m: int) -> Floats:
    """Find the indices of the classical multiplicative decomposition.

    R's ``decompose``: a centred moving average over a season is the trend, the mean ratio to it at
    each place of the season its index. M4's test says whether there is a season.

    Parameters
    ----------
    x : ndarray, shape (time,)
        The series; NaN where nothing was observed.
    m : int
        Steps in a season; 1 for none.

    Returns
    -------
    ndarray, shape (m,) or (1,)
        Of mean 1, from the first step of the series on; a single 1 if it is not seasonal, has a
        value of 0 or less, or a place in the season without an index.

    Examples
    --------
    >>> seasonal_indices(np.array([1.0, 3.0] * 10), 2)
    array([0.5, 1.5])
    >>> seasonal_indices(np.arange(1.0, 20.0), 12)
    array([1.])
    """
    if m == 1 or len(x) < 3 * m or np.nanmin(x) <= 0 or not _is_seasonal(x, m):
        return np.ones(1)
    ends = [0.5] if m % 2 == 0 else []
    weights = np.concatenate((ends, np.ones(m - len(ends)), ends)) / m
    trend = np.convolve(x, weights, mode="valid")
    ratio = np.full(-(-len(x) // m) * m, np.nan)
    ratio[m // 2 : m // 2 + len(trend)] = x[m // 2 : m // 2 + len(trend)] / trend
    grid = ratio.reshape(-1, m)
    count = (~np.isnan(grid)).sum(axis=0)
    if not count.all():
        return np.ones(1)
    index = np.nansum(grid, axis=0) / count
    return index / index.mean()


def _is_seasonal(x: Floats, m: int) -> bool:
    """The 90 % test of M4 on the autocorrelation at one season; unobserved pairs are left out."""
    centred = np.where(np.isnan(x), 0.0, x - np.nanmean(x))
    variance = centred @ centred
    if variance <= 0:
        return False
    r = np.array([centred[k:] @ centred[:-k] for k in range(1, m + 1)]) / variance
    limit = 1.645 * math.sqrt((1 + 2 * float(r[:-1] @ r[:-1])) / len(x))
    return bool(abs(r[-1]) > limit)
