"""What is kept from training: ends of series stop it, and unseen windows calibrate the intervals.

A few series give the ends of all of them. Many can spare some series: one in six is held back
whole and one in six gives its end, so that most keep their newest rows for training. The ends of
all series lie at the same dates, where one shock would rule the calibration; so the intervals of
many series are calibrated on the whole ones, from origins spread over their length. Where static
covariates tell the series apart, none is held back whole: what they stand for must be learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recurra.estimators.forecasting.forecast_defaults import MANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recurra.data import Panel
    from recurra.types import Integers

__all__ = ["HeldBack"]

SHARE = 6  # of many series, one in so many,
MOST = 200  # but not more than this
ORIGINS = 5  # in the end of a series,
WHOLE_ORIGINS = 8  # and in a whole one
ALIKE = 0.2  # correlation of the errors of two series at the same date


@dataclass(frozen=True)
class HeldBack:
    """Which rows were held back.

    Attributes
    ----------
    dataset : Panel
        All rows.
    steps : ndarray, shape (series,)
        Rows held back at the end of each series: all of them in some, none where it is too short.
    horizon : int
        Steps forecast from one origin.
    stride : int
        Steps between two origins at the end of a series.
    whole : ndarray, shape (held series,)
        Which series are held back whole.
    """

    dataset: Panel
    steps: Integers
    horizon: int
    stride: int
    whole: Integers

    @classmethod
    def plan(cls, dataset: Panel, horizon: int, seed: int) -> HeldBack:
        """Choose what to hold back.

        Parameters
        ----------
        dataset : Panel
            All rows.
        horizon : int
            Steps wanted; at most a quarter of the usual series is used.
        seed : int
            Chooses the series that are held back whole.

        Returns
        -------
        HeldBack
            The plan.
        """
        room = max(1, int(np.median(dataset.lengths)) // 4)
        horizon = min(horizon, room)
        stride = max(1, horizon // 4)
        many = len(dataset) >= MANY and not dataset.static
        more = 0 if many else min((ORIGINS - 1) * stride, (room - horizon) // stride * stride)
        spared = dataset.lengths >= horizon + more + max(8, horizon)
        steps, able = np.zeros(len(dataset), np.int64), np.flatnonzero(spared)
        if not many:
            steps[able] = horizon + more
            return cls(dataset, steps, horizon, stride, able[:0])
        most = min(MOST, len(dataset) // SHARE)
        chosen = np.random.default_rng(seed).permutation(able)
        whole, ended = np.sort(chosen[:most]), chosen[most : 2 * most]
        steps[whole], steps[ended] = dataset.lengths[whole], horizon
        return cls(dataset, steps, horizon, stride, whole)

    @property
    def train(self) -> Panel:
        """What is left to learn from."""
        left = self.dataset.lengths - self.steps
        return self.dataset.take(np.flatnonzero(left)).before(left[left > 0])

    @property
    def ends(self) -> Integers:
        """How many rows at the end of each series the network is checked on, shape (series,)."""
        few = len(self.whole) == 0
        return self.steps if few else np.minimum(self.steps, self.horizon)

    def windows(self) -> Iterator[Panel]:
        """Yield series up to the end of the horizon after each origin, the newest origin first."""
        many = len(self.whole) > 0
        series = self.whole if many else np.flatnonzero(self.steps)
        chosen = self.dataset.take(series)
        spare = (chosen.lengths if many else self.steps[series]) - self.horizon
        step = spare // WHOLE_ORIGINS if many else np.full(len(series), self.stride)
        for origin in range(WHOLE_ORIGINS if many else ORIGINS):
            back = origin * step
            fits = np.flatnonzero(back <= spare)
            if len(fits):
                yield chosen.take(fits).before(chosen.lengths[fits] - back[fits])

    @property
    def worth(self) -> float:
        """How many independent windows those of :meth:`windows` are worth.

        Windows of one series are alike, and so are windows at the same dates: a whole series counts
        once, and m ends at the same dates count m / (1 + (m - 1) r) times, with r the correlation
        of their errors (the design effect of Kish, 1965).
        """
        if len(self.whole):
            return float(len(self.whole))
        series = int((self.steps > 0).sum())
        return ORIGINS * series / (1.0 + ALIKE * max(series - 1, 0))
