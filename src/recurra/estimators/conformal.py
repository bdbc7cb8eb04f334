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
        low = high = np.zeros(point.shape)
        for k, known in enumerate(self.levels):
            if level <= known:
                before = self.levels[k - 1] if k else 0.0
                part = (level - before) / (known - before)
                above = self._widened(k, paths, known, low, high)
                low, high = (a + part * (b - a) for a, b in zip((low, high), above, strict=True))
                break
            low, high = self._widened(k, paths, known, low, high)
        else:
            low, high = self._widened(-1, paths, level, low, high)
        return point - low, point + high

    def _widened(
        self, row: int, paths: Floats, level: float, low: Floats, high: Floats
    ) -> tuple[Floats, Floats]:
        """Return the half widths of a level, which are never less than those of a lower one."""
        below, above = _half_widths(paths, level)
        steps = np.minimum(np.arange(paths.shape[2]), self.factors.shape[1] - 1)
        factor = self.factors[row, steps]
        return np.maximum(low, factor * below), np.maximum(high, factor * above)


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
    for row, level in enumerate(LEVELS):
        below, above = _half_widths(paths, level)
        miss = actual - point
        width = np.where(miss < 0, below, above)
        scores = np.where(miss == 0, 0.0, np.where(np.isnan(miss), np.nan, FARTHEST))
        np.divide(np.abs(miss), width, out=scores, where=np.abs(miss) < FARTHEST * width)
        for step in range(point.shape[1]):
            near = _scores_near(scores, step)
            if near.size:
                factors[row, step] = 1 + weight * (_conformal_quantile(near, level / 100) - 1)
    return Calibration(LEVELS, factors)


def _half_widths(paths: Floats, level: float) -> tuple[Floats, Floats]:
    tail = 0.5 - level / 200
    low, middle, high = np.quantile(paths, [tail, 0.5, 1 - tail], axis=1)
    return middle - low, high - middle


def _scores_near(scores: Floats, step: int) -> Floats:
    reach = max(0, -(-(ENOUGH // max(len(scores), 1) - 1) // 2))
    near = scores[:, max(0, step - reach) : step + reach + 1]
    return near[~np.isnan(near)]


def _conformal_quantile(scores: Floats, level: float) -> float:
    level = min(1.0, level * (1 + 1 / len(scores)))
    return float(np.quantile(scores, level, method="higher"))
