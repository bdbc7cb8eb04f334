"""Intervals that cover what they promise: the network's spread, corrected on held-back windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.types import Floats

__all__ = ["Calibration", "calibrate"]

LEVELS = np.array([10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95, 98, 99], dtype=float)
ENOUGH = 2_000  # scores wanted for one step ahead; steps nearby lend theirs
FARTHEST = 10.0  # half widths: a miss of more is counted as one of so many
TRUST = 8  # independent windows after which the correction counts half


@dataclass(frozen=True)
class Calibration:
    """By how much to widen the network's own intervals.

    Attributes
    ----------
    levels : ndarray, shape (levels,)
        Nominal coverage in percent.
    factors : ndarray, shape (levels, steps)
        What to multiply the half widths by, for every step ahead.
    """

    levels: Floats
    factors: Floats

    @classmethod
    def neutral(cls) -> Calibration:
        """Return the calibration that changes nothing."""
        return cls(LEVELS, np.ones((len(LEVELS), 1)))

    def interval(self, point: Floats, paths: Floats, level: float) -> tuple[Floats, Floats]:
        """Return the bounds of a central interval.

        Parameters
        ----------
        point : ndarray, shape (series, h)
            Point forecasts.
        paths : ndarray, shape (series, paths, h)
            Sampled paths.
        level : float
            Nominal coverage in percent.

        Returns
        -------
        lower, upper : ndarray, shape (series, h)
            The bounds; the point lies between them, and intervals of higher levels hold those of
            lower ones.
        """
        inner = self.levels[self.levels < level]
        grid = np.append(inner, min(self.levels[self.levels >= level], default=level))
        before = inner[-1] if len(inner) else 0.0
        part = (level - before) / (grid[-1] - before)
        rows = np.minimum(np.arange(len(grid)), len(self.levels) - 1)
        steps = np.minimum(np.arange(point.shape[1]), self.factors.shape[1] - 1)
        factor = self.factors[rows][:, None, steps]
        low, high = (
            _between(np.maximum.accumulate(factor * width), part)
            for width in _half_widths(paths, grid)
        )
        return point - low, point + high


def calibrate(point: Floats, paths: Floats, actual: Floats, worth: float) -> Calibration:
    r"""Compare held-back windows with what was forecast for them.

    The score of a value is its distance from the point forecast in half widths of the network's
    interval; the factor of a level is the score's quantile at that level with the finite-sample
    correction of split conformal prediction (Vovk et al. 2005; Romano et al. 2019,
    arXiv:1905.03222). Few windows say little, so with n independent ones the factor is drawn
    towards one:

    .. math:: f = 1 + \frac{n}{n + 8} (\hat f - 1)

    Parameters
    ----------
    point : ndarray, shape (windows, steps)
        Point forecasts.
    paths : ndarray, shape (windows, paths, steps)
        Sampled paths.
    actual : ndarray, shape (windows, steps)
        What came; NaN where nothing was observed.
    worth : float
        How many independent windows they are worth, n.

    Returns
    -------
    Calibration
        Factors for every step.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> too_narrow = random.normal(0.0, 0.5, size=(1000, 200, 1))
    >>> found = calibrate(np.zeros((1000, 1)), too_narrow, random.normal(size=(1000, 1)), 1000)
    >>> bool(1.8 < found.factors[7, 0] < 2.2)
    True
    """
    factors = np.ones((len(LEVELS), point.shape[1]))
    weight = worth / (worth + TRUST)
    miss = actual - point
    widths = zip(*_half_widths(paths, LEVELS), strict=True)
    for row, (level, (below, above)) in enumerate(zip(LEVELS, widths, strict=True)):
        width = np.where(miss < 0, below, above)
        scores = np.where(miss == 0, 0.0, np.where(np.isnan(miss), np.nan, FARTHEST))
        np.divide(np.abs(miss), width, out=scores, where=np.abs(miss) < FARTHEST * width)
        for step in range(point.shape[1]):
            near = _scores_near(scores, step)
            if near.size:
                factors[row, step] = 1 + weight * (_conformal_quantile(near, level / 100) - 1)
    return Calibration(LEVELS, factors)


def _half_widths(paths: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Return the widths below and above the median, each of shape (levels, series, h)."""
    tails = 0.5 - levels / 200
    found = np.quantile(paths, [*tails, 0.5, *(1 - tails)], axis=1)
    low, middle, high = np.split(found, [len(levels), len(levels) + 1])
    return middle - low, high - middle


def _between(widths: Floats, part: float) -> Floats:
    """Go a part of the way from the last width but one, or from nothing, to the last."""
    before = widths[-2] if len(widths) > 1 else np.zeros_like(widths[-1])
    return before + part * (widths[-1] - before)


def _scores_near(scores: Floats, step: int) -> Floats:
    reach = max(0, -(-(ENOUGH // max(len(scores), 1) - 1) // 2))
    near = scores[:, max(0, step - reach) : step + reach + 1]
    return near[~np.isnan(near)]


def _conformal_quantile(scores: Floats, level: float) -> float:
    level = min(1.0, level * (1 + 1 / len(scores)))
    return float(np.quantile(scores, level, method="higher"))
