"""Two classics that are hard to beat: the Theta method, and a trend that is damped.

Both smooth a seasonally adjusted series exponentially, and add the season again. The constants of
the smoothing are those of a small grid with the least sum of squared errors one step ahead; a step
without a value is passed over, and the trend goes on.
"""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import ArrayLike

from recurra.estimators.forecasting.baselines import Baseline
from recurra.estimators.forecasting.one_series import (
    checked_season,
    observed,
    seasonal_indices,
    slope,
    steps_ahead,
)
from recurra.types import Floats

__all__ = ["DampedTrend", "Theta"]

ALPHAS = np.linspace(0.02, 0.98, 49)  # of the level alone
LEVELS, TRENDS = np.linspace(0.05, 0.95, 10), np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8])
DAMPING = np.array([0.8, 0.9, 0.95, 0.98])
BEGINNING = 10  # values that the first trend is taken from


@final
class Theta(Baseline):
    r"""The Theta method: half a straight line, half a smoothed series of twice the curvature.

    With x the seasonally adjusted series and :math:`a + bt` its regression on time,

    .. math:: z_t = 2 x_t - (a + bt), \qquad
              \hat x_{T+k} = \tfrac12 \bigl(a + b(T+k)\bigr) + \tfrac12 \ell_T,

    where :math:`\ell` is the exponentially smoothed z. The season is that of `Naive2`, with the
    same test. It was the best method of the M3 competition.

    Parameters
    ----------
    season_length : int
        Steps in a season; 1 for none.

    References
    ----------
    Assimakopoulos & Nikolopoulos (2000), The theta model. International Journal of Forecasting
    16(4). Hyndman & Billah (2003), Unmasking the Theta method, ibid. 19(2), for the intervals.

    Examples
    --------
    >>> Theta(1).forecast([1.0, 2.0, 3.0, 4.0, 5.0], h=3).round(2)
    array([5.49, 5.99, 6.49])
    """

    def __init__(self, season_length: int) -> None:
        self.season_length = season_length

    def forecast(self, values: ArrayLike, h: int) -> Floats:
        """Foretell one series: see `Baseline.forecast`."""
        adjusted, index = _adjusted(values, h, self.season_length)
        line = _line(adjusted, len(adjusted) + h)
        level = _Smoothed(2 * adjusted - line[: len(adjusted)], ALPHAS).best[0]
        return (line[len(adjusted) :] + level) / 2 * index

    def spread(self, values: ArrayLike, h: int) -> Floats:
        r"""Deviation of each step: :math:`\hat\sigma \sqrt{1 + (k-1) \alpha^2}`."""
        adjusted, index = _adjusted(values, h, self.season_length)
        smoothed = _Smoothed(2 * adjusted - _line(adjusted, len(adjusted)), ALPHAS)
        at, _ = observed(values, h)
        ahead = steps_ahead(values, at, h)
        growth = np.sqrt(1 + (ahead - 1) * smoothed.alpha**2)
        return smoothed.deviation / 2 * growth * np.abs(index)


@final
class DampedTrend(Baseline):
    r"""Exponential smoothing with a trend that fades.

    Of the seasonally adjusted series x, one step ahead and k,

    .. math:: e_t &= x_t - \ell_{t-1} - \phi b_{t-1} \\
              \ell_t &= \ell_{t-1} + \phi b_{t-1} + \alpha e_t, \quad
              b_t = \phi b_{t-1} + \alpha \beta e_t \\
              \hat x_{T+k} &= \ell_T + (\phi + \dots + \phi^k) b_T

    The season is that of `Naive2`, with the same test.

    Parameters
    ----------
    season_length : int
        Steps in a season; 1 for none.

    References
    ----------
    Gardner & McKenzie (1985), Forecasting trends in time series. Management Science 31(10). Hyndman
    & Athanasopoulos, Forecasting: principles and practice, 3rd edition, section 8.7, for the
    intervals.

    Examples
    --------
    >>> DampedTrend(1).forecast([1.0, 2.0, 3.0, 4.0, 5.0], h=3).round(2)
    array([5.97, 6.93, 7.87])
    """

    def __init__(self, season_length: int) -> None:
        self.season_length = season_length

    def forecast(self, values: ArrayLike, h: int) -> Floats:
        """Foretell one series: see `Baseline.forecast`."""
        adjusted, index = _adjusted(values, h, self.season_length)
        smoothed = _damped(adjusted)
        level, trend = smoothed.best
        return (level + np.cumsum(smoothed.phi ** np.arange(1, h + 1)) * trend) * index

    def spread(self, values: ArrayLike, h: int) -> Floats:
        """Deviation of each step: see `Baseline.spread`."""
        adjusted, index = _adjusted(values, h, self.season_length)
        smoothed = _damped(adjusted)
        at, _ = observed(values, h)
        ahead = steps_ahead(values, at, h)
        steps = np.arange(1, ahead[-1])
        reach = smoothed.alpha * (1 + smoothed.beta * np.cumsum(smoothed.phi**steps))
        growth = np.sqrt(1 + np.append(0.0, np.cumsum(reach**2)))
        return smoothed.deviation * growth[ahead - 1] * np.abs(index)


class _Smoothed:
    """A series smoothed with every constant of a grid at once; the best is kept.

    An array of constants goes through the series together, so a step costs little more than one
    constant would.
    """

    def __init__(
        self,
        x: Floats,
        alpha: Floats,
        beta: Floats | float = 0.0,
        phi: Floats | float = 1.0,
        rise: float = 0.0,
    ) -> None:
        at = np.flatnonzero(~np.isnan(x))
        level, trend = np.full_like(alpha, x[at[0]]), np.full_like(alpha, rise)
        squares, gain = np.zeros_like(alpha), alpha * beta
        for value in x[at[0] + 1 :].tolist():
            trend = phi * trend
            level = level + trend
            if value == value:  # a number
                error = value - level
                squares += error * error
                level = level + alpha * error
                trend = trend + gain * error
        best = int(squares.argmin())
        self.best = (float(level[best]), float(trend[best]))
        self.alpha = float(alpha[best])
        self.beta = float(np.broadcast_to(beta, alpha.shape)[best])
        self.phi = float(np.broadcast_to(phi, alpha.shape)[best])
        self.deviation = float(np.sqrt(squares[best] / (len(at) - 1))) if len(at) > 2 else np.nan


def _damped(x: Floats) -> _Smoothed:
    """Smooth with a trend, which begins as that of the first values."""
    alpha, beta, phi = (each.ravel() for each in np.meshgrid(LEVELS, TRENDS, DAMPING))
    at = np.flatnonzero(~np.isnan(x))[:BEGINNING]
    return _Smoothed(x, alpha, beta, phi, slope(at, x[at]))


def _adjusted(values: ArrayLike, h: int, season_length: int) -> tuple[Floats, Floats]:
    """The series without its season, and what the season makes of each step to foretell."""
    observed(values, h)  # refuses what cannot be foretold
    x = np.asarray(values, dtype=np.float64)
    index = seasonal_indices(x, checked_season(season_length))
    place = np.arange(len(x) + h) % len(index)
    return x / index[place[: len(x)]], index[place[len(x) :]]


def _line(x: Floats, steps: int) -> Floats:
    """The regression of the observed values on time, at the first steps."""
    at = np.flatnonzero(~np.isnan(x))
    away = at - at.mean()
    rise = float(away @ x[at]) / float(away @ away) if len(at) > 1 else 0.0
    return x[at].mean() + rise * (np.arange(steps) - at.mean())
