"""From values and errors to a score of each step: how far something left the range seen so far."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import erfc

if TYPE_CHECKING:
    from recurra.types import Array, Booleans, Floats

__all__ = ["Fresh", "Novelty", "Ranges", "fresh_scores", "windowed_gaussian"]

SMALLEST = 1e-9
WEIGHT = 0.2  # of an error beyond its range, beside a value beyond its own


@dataclass
class Ranges:
    """What was seen so far of some channels.

    Parameters
    ----------
    low, high : ndarray of float64, shape (channels,)
        The least and the largest value; infinite where there was none.
    least_error, most_error : ndarray of float64, shape (channels,)
        The least and the largest smoothed error; infinite where there was none.
    """

    low: Floats
    high: Floats
    least_error: Floats
    most_error: Floats

    @classmethod
    def none(cls, channels: int) -> Ranges:
        """Stand where nothing was seen.

        Parameters
        ----------
        channels : int
            How many.

        Returns
        -------
        Ranges
            Infinite.
        """
        empty = np.full(channels, np.inf)
        return cls(empty, -empty, empty.copy(), -empty)

    def copy(self) -> Ranges:
        """Give ranges that change by themselves.

        Returns
        -------
        Ranges
            A copy.
        """
        parts = (self.low, self.high, self.least_error, self.most_error)
        return Ranges(*(part.copy() for part in parts))


class Novelty:
    r"""Scores steps one by one, in constant time.

    .. math::
        s_t = \max_k \max\bigl(f(x_{tk};\ \underline{x}_k, \overline{x}_k),\
            w\,f(\bar e_{tk};\ \underline{e}_k, \overline{e}_k)\bigr), \qquad
        f(x; a, b) = \frac{\max(x - b, a - x)}{b - a}

    where :math:`\underline{x}, \overline{x}` are the least and largest values so far,
    :math:`\bar e_t` is the mean of the last absolute errors, and
    :math:`\underline{e}, \overline{e}` are the least and largest such means so far: a sensor that
    hangs is foretold better than ever. So a score is in spans of what was seen: 0 at its edge,
    below it inside.

    Parameters
    ----------
    ranges : Ranges
        What was seen before; it is changed where `adapts`.
    smoothing : int
        Steps whose errors are averaged; before there are so many, errors do not count, since a
        record's first steps are foretold from little, and short averages go far.
    adapts : bool
        Whether what is seen widens the ranges.
    """

    def __init__(self, ranges: Ranges, smoothing: int, adapts: bool) -> None:
        self.ranges, self.adapts = ranges, adapts
        self._latest: deque[Floats] = deque(maxlen=smoothing)

    def step(self, values: Floats, errors: Floats) -> float:
        """Score one step.

        Parameters
        ----------
        values : ndarray of float64, shape (channels,)
            What was seen; NaN where nothing was.
        errors : ndarray of float64, shape (channels,)
            Absolute errors; NaN where there is none.

        Returns
        -------
        float
            The score; NaN where nothing was observed, or nothing is known yet.
        """
        known = ~np.isnan(values)
        if not known.any():
            return math.nan
        smooth = self._smoothed(errors)
        seen, told = self.ranges, known & ~np.isnan(smooth)
        score = max(
            _beyond(values, known, seen.low, seen.high),
            WEIGHT * _beyond(smooth, told, seen.least_error, seen.most_error),
        )
        if self.adapts:
            _widen(values, known, seen.low, seen.high)
            _widen(smooth, told, seen.least_error, seen.most_error)
        return score if score > -math.inf else math.nan

    def _smoothed(self, errors: Floats) -> Floats:
        """Take the mean of the last errors of each channel, those that are known."""
        self._latest.append(errors)
        if len(self._latest) < (self._latest.maxlen or 0):
            return np.full(len(errors), np.nan)
        recent = np.stack(self._latest)
        known = ~np.isnan(recent)
        count = known.sum(0)
        total = np.where(known, recent, 0.0).sum(0)
        smooth: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return smooth


class Fresh:
    """Passes a score on where it is higher than all of the steps before it, for some time.

    So one anomaly alarms once, or again when it grows, whatever the threshold is.

    Parameters
    ----------
    quiet : int
        For how many steps.
    """

    def __init__(self, quiet: int) -> None:
        self.quiet, self._now = quiet, 0
        self._higher: deque[tuple[int, float]] = deque()  # falling; at most one for each step

    def step(self, score: float) -> float:
        """Read one score.

        Parameters
        ----------
        score : float
            The score; NaN where there is none.

        Returns
        -------
        float
            The same, or minus infinity where a step shortly before it scored as high.
        """
        self._now += 1
        if math.isnan(score):
            return -math.inf
        while self._higher and self._higher[0][0] < self._now - self.quiet:
            self._higher.popleft()
        is_new = not self._higher or score > self._higher[0][1]
        while self._higher and self._higher[-1][1] <= score:
            self._higher.pop()
        self._higher.append((self._now, score))
        return score if is_new else -math.inf


def fresh_scores(scores: Iterable[float], quiet: int) -> Floats:
    """Pass scores on where they are higher than all of the steps shortly before them.

    Parameters
    ----------
    scores : iterable of float
        Of each step of a record.
    quiet : int
        For how many steps.

    Returns
    -------
    ndarray of float64, shape (steps,)
        Minus infinity elsewhere.

    Examples
    --------
    >>> fresh_scores([0.0, 2.0, 1.0, 3.0, 0.5, 0.7], 2)
    array([ 0.,   2., -inf,   3., -inf, -inf])
    """
    fresh = Fresh(quiet)
    return np.array([fresh.step(float(score)) for score in scores])


def windowed_gaussian(values: Array, window: int = 6400, every: int = 100) -> Floats:
    """Score steps by how far they lie from the mean of a window: a baseline.

    The mean and the standard deviation are those of the rows before, of the last `window` where
    there are more, and are then computed again `every` so many. This is the detector of that name
    in the Numenta Anomaly Benchmark, with the constants that were tuned on it.

    Parameters
    ----------
    values : array-like, shape (steps,)
        A record of one channel; NaN where nothing was observed.
    window : int
        Rows of the window.
    every : int
        Rows between two computations, where the window is full.

    Returns
    -------
    ndarray of float64, shape (steps,)
        One less the probability of a value as far out, 0 to 1; NaN where nothing was observed.

    Examples
    --------
    >>> windowed_gaussian([1.0, 2.0, 1.0, 2.0, 9.0]).round(3)
    array([0.   , 1.   , 0.841, 0.921, 1.   ])
    """
    given = np.asarray(values, np.float64)
    seen = given[~np.isnan(given)]
    ends = np.arange(len(seen))
    full = ends >= window
    ends[full] = window + (ends[full] - window) // every * every
    starts = np.maximum(ends - window, 0)
    count = np.maximum(ends - starts, 1)
    exact = (seen - seen[:1]).astype(np.longdouble)  # sums of many squares lose digits
    sums = np.concatenate([[0], np.cumsum(exact)])
    squares = np.concatenate([[0], np.cumsum(exact**2)])
    mean = (sums[ends] - sums[starts]) / count
    spread = np.sqrt(np.maximum((squares[ends] - squares[starts]) / count - mean**2, 0))
    spread = np.where(spread > SMALLEST, spread, 1e-6).astype(np.float64)
    seen = exact.astype(np.float64)
    mean = mean.astype(np.float64)
    told = 1 - 0.5 * erfc(np.abs(seen - mean) / spread / math.sqrt(2))
    told[:1] = 0.0
    found = np.full(len(given), np.nan)
    found[~np.isnan(given)] = told
    return found


def _beyond(values: Floats, known: Booleans, low: Floats, high: Floats) -> float:
    """Say how far the farthest value lies beyond its range, in spans of that."""
    known = known & (high >= low)
    if not known.any():
        return -math.inf
    value, low, high = values[known], low[known], high[known]
    span = np.maximum(high - low, SMALLEST * (1.0 + np.abs(value)))  # of what never varied
    return float((np.maximum(value - high, low - value) / span).max())


def _widen(values: Floats, known: Booleans, low: Floats, high: Floats) -> None:
    """Take values up into their ranges, in place."""
    low[known] = np.minimum(low, values)[known]
    high[known] = np.maximum(high, values)[known]
