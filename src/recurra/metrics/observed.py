"""The one rule of this room: what is unobserved is left out, what is foretold must be a number."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from recurra.errors import DataError, ShapeError
from recurra.types import Booleans, Floats

__all__ = ["mean_of", "observed_part", "observed_parts"]

_ALIGN = "Give one forecast for each value of y, in the same order."


def observed_part(
    y: ArrayLike, forecast: ArrayLike, name: str = "forecast", leading: int = 0
) -> tuple[Floats, Floats]:
    """Check one forecast against ``y`` and keep what was observed.

    Parameters
    ----------
    y : array_like, any shape
        The actual values; NaN where nothing was observed.
    forecast : array_like, shape (..., *y.shape)
        The forecast of each value.
    name : str
        What the caller calls the forecast, for the error message.
    leading : int
        How many axes the forecast has in front of those of ``y``: 1 for samples or quantiles.

    Returns
    -------
    y : ndarray, shape (observed,)
        The observed values, flat.
    forecast : ndarray, shape (..., observed)
        Their forecasts.

    Raises
    ------
    ShapeError
        If the shapes differ.
    DataError
        If ``y`` is infinite anywhere, or the forecast is NaN or infinite where ``y`` is observed.

    Examples
    --------
    >>> observed_part([1.0, float("nan"), 3.0], [1.5, 2.5, 3.5])
    (array([1., 3.]), array([1.5, 3.5]))
    """
    actual, (foretold,) = observed_parts(y, {name: forecast}, leading)
    return actual, foretold


def observed_parts(
    y: ArrayLike, forecasts: dict[str, ArrayLike], leading: int = 0
) -> tuple[Floats, list[Floats]]:
    """Check several forecasts against one ``y`` and keep what was observed.

    Parameters
    ----------
    y : array_like, any shape
        The actual values; NaN where nothing was observed.
    forecasts : dict of str to array_like, shape (..., *y.shape)
        The forecasts under the names the caller knows them by.
    leading : int
        How many axes each forecast has in front of those of ``y``.

    Returns
    -------
    y : ndarray, shape (observed,)
        The observed values, flat.
    forecasts : list of ndarray, shape (..., observed)
        Their forecasts, in the order given.

    Examples
    --------
    >>> y, (low, high) = observed_parts([1.0, float("nan")], {"lower": [0, 0], "upper": [2, 2]})
    >>> y, low, high
    (array([1.]), array([0.]), array([2.]))
    """
    actual = np.asarray(y, dtype=np.float64)
    if np.isinf(actual).any():
        raise DataError(
            "y is infinite",
            code="infinite_target",
            row=int(np.flatnonzero(np.isinf(actual))[0]),
            hint="Use NaN for a value that was not observed.",
        )
    seen = ~np.isnan(actual)
    return actual[seen], [
        _foretold(given, name, seen, leading) for name, given in forecasts.items()
    ]


def mean_of(values: Floats) -> float:
    """Mean of what is there; NaN, without a warning, of nothing.

    Parameters
    ----------
    values : ndarray, any shape
        Finite numbers.

    Returns
    -------
    float
        Their mean.

    Examples
    --------
    >>> import numpy as np
    >>> mean_of(np.array([1.0, 2.0])), mean_of(np.array([]))
    (1.5, nan)
    """
    return float(values.mean()) if values.size else math.nan


def _foretold(forecast: ArrayLike, name: str, seen: Booleans, leading: int) -> Floats:
    """The forecast where ``y`` was observed, or an error that says where it is no number."""
    array = np.asarray(forecast, dtype=np.float64)
    if array.ndim != seen.ndim + leading or array.shape[leading:] != seen.shape:
        raise ShapeError(
            f"{name} has shape {array.shape}, but y has shape {seen.shape}. "
            + (f"Put {name} along the first axis, then the axes of y." if leading else _ALIGN)
        )
    kept = array[..., seen]
    wrong = ~np.isfinite(kept)
    if wrong.any():
        place = int(np.nonzero(wrong)[-1][0])
        raise DataError(
            f"{name} is {kept[wrong][0]} where y is observed",
            code="forecast_missing",
            row=int(np.flatnonzero(seen)[place]),
            hint="Forecast every observed value, or leave its row out for all models alike.",
        )
    return kept
