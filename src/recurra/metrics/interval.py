"""Errors of quantiles and intervals: pinball, coverage, width, and the interval score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from recurra.errors import DataError, OptionError, ShapeError
from recurra.metrics.observed import mean_of, observed_part, observed_parts
from recurra.types import Floats

__all__ = ["coverage", "interval_score", "interval_width", "pinball"]


def pinball(y: ArrayLike, forecast: ArrayLike, quantile: float) -> float:
    r"""Pinball (quantile) loss: lowest for the true quantile.

    .. math:: \rho_q = \frac1n \sum_t \max\bigl(q\,(y_t - \hat y_t),\ (q - 1)(y_t - \hat y_t)\bigr)

    Parameters
    ----------
    y : array_like, any shape
        The actual values; NaN where nothing was observed.
    forecast : array_like, the shape of ``y``
        The forecast of the quantile.
    quantile : float
        Which one: between 0 and 1, 0.5 for the median.

    Returns
    -------
    float
        In the unit of ``y``; NaN if nothing was observed. At 0.5 it is half the MAE.

    References
    ----------
    Koenker, Bassett (1978), Regression quantiles. Econometrica 46(1).

    Examples
    --------
    Too low by 10 costs nine times as much as too high by 10, at the 90 % quantile:

    >>> pinball([10.0], [0.0], 0.9), round(pinball([0.0], [10.0], 0.9), 9)
    (9.0, 1.0)
    """
    if not 0 < quantile < 1:
        raise OptionError(f"quantile is {quantile}; use a number between 0 and 1, such as 0.9.")
    actual, foretold = observed_part(y, forecast)
    error = actual - foretold
    return mean_of(np.maximum(quantile * error, (quantile - 1) * error))


def coverage(y: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> float:
    r"""Share of the actual values that lie in their interval, the bounds included.

    .. math:: \frac1n \sum_t \mathbf 1\,[\,l_t \le y_t \le u_t\,]

    Parameters
    ----------
    y : array_like, any shape
        The actual values; NaN where nothing was observed.
    lower, upper : array_like, the shape of ``y``
        The bounds.

    Returns
    -------
    float
        From 0 to 1; NaN if nothing was observed. An honest 80 % interval gives 0.8, not 1.

    Examples
    --------
    >>> coverage([1.0, 2.0, 9.0, float("nan")], [0, 0, 0, 0], [5, 5, 5, 5])
    0.6666666666666666
    """
    actual, low, high = _bounded(y, lower, upper)
    return mean_of(((low <= actual) & (actual <= high)).astype(np.float64))


def interval_width(lower: ArrayLike, upper: ArrayLike) -> float:
    r"""Mean width of the intervals: the price of their coverage.

    .. math:: \frac1n \sum_t (u_t - l_t)

    Parameters
    ----------
    lower, upper : array_like, any one shape
        The bounds.

    Returns
    -------
    float
        In the unit of the bounds; NaN if there are none.

    Examples
    --------
    >>> interval_width([0.0, 1.0], [2.0, 5.0])
    3.0
    """
    shape = np.shape(lower)
    if np.shape(upper) != shape:
        raise ShapeError(
            f"lower has shape {shape}, but upper has shape {np.shape(upper)}. "
            "Give the two bounds of the same intervals, in the same order."
        )
    _, low, high = _bounded(np.zeros(shape), lower, upper)
    return mean_of(high - low)


def interval_score(y: ArrayLike, lower: ArrayLike, upper: ArrayLike, level: float) -> float:
    r"""Interval score (Winkler score): the width, plus a fine for each miss.

    .. math:: \frac1n \sum_t (u_t - l_t) + \frac2\alpha \max(l_t - y_t, 0)
              + \frac2\alpha \max(y_t - u_t, 0), \qquad \alpha = 1 - \mathrm{level}/100

    It is lowest for the true central interval, so neither wide nor narrow intervals win by
    being so.

    Parameters
    ----------
    y : array_like, any shape
        The actual values; NaN where nothing was observed.
    lower, upper : array_like, the shape of ``y``
        The bounds.
    level : float
        What the interval promises to cover, in per cent: 80, 95.

    Returns
    -------
    float
        In the unit of ``y``; NaN if nothing was observed.

    References
    ----------
    Winkler (1972), A decision-theoretic approach to interval estimation. JASA 67(337).
    Gneiting, Raftery (2007), Strictly proper scoring rules. JASA 102(477), equation 43.

    Examples
    --------
    Width 2, and missed by 1 at 80 %: 2 + (2 / 0.2) 1.

    >>> round(interval_score([3.0], [0.0], [2.0], level=80), 9)
    12.0
    """
    if not 0 < level < 100:
        raise OptionError(f"level is {level}; use per cent between 0 and 100, such as 80.")
    actual, low, high = _bounded(y, lower, upper)
    missed = np.maximum(low - actual, 0) + np.maximum(actual - high, 0)
    return mean_of(high - low + 2 / (1 - level / 100) * missed)


def _bounded(y: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Observed values and their bounds, or an error if the bounds are crossed."""
    actual, (low, high) = observed_parts(y, {"lower": lower, "upper": upper})
    crossed = np.flatnonzero(low > high)
    if crossed.size:
        first = int(crossed[0])
        raise DataError(
            f"lower ({low[first]:g}) is above upper ({high[first]:g})",
            code="crossed_interval",
            row=int(np.flatnonzero(~np.isnan(np.asarray(y, dtype=np.float64)))[first]),
            hint="Sort the two bounds, or check which column is which.",
        )
    return actual, low, high
