"""The end of every series, kept from training: it stops the training and calibrates intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recurra.data import SequenceDataset
    from recurra.types import Integers

__all__ = ["HeldBack"]

WINDOWS = 50  # wanted over all series
MOST_ORIGINS = 5  # of them in one series
MOST_SERIES = 200  # with windows


@dataclass(frozen=True)
class HeldBack:
    """Which rows were held back.

    Attributes
    ----------
    dataset : SequenceDataset
        All rows.
    steps : ndarray, shape (series,)
        Rows held back at the end of each series; 0 where it is too short to spare any.
    horizon : int
        Steps foretold from one origin.
    stride : int
        Steps between two origins.
    origins : int
        Origins in each series.
    """

    dataset: SequenceDataset
    steps: Integers
    horizon: int
    stride: int
    origins: int

    @classmethod
    def plan(cls, dataset: SequenceDataset, horizon: int) -> HeldBack:
        """Hold back a horizon, more if there are few series, at most a quarter of the usual one.

        Parameters
        ----------
        dataset : SequenceDataset
            All rows.
        horizon : int
            Steps wanted.

        Returns
        -------
        HeldBack
            The plan.
        """
        room = max(1, int(np.median(dataset.lengths)) // 4)
        horizon = min(horizon, room)
        stride = max(1, horizon // 4)
        wanted = int(np.clip(WINDOWS // len(dataset), 1, MOST_ORIGINS))
        origins = min(wanted, 1 + (room - horizon) // stride)
        total = horizon + (origins - 1) * stride
        spared = dataset.lengths >= total + max(8, horizon)
        return cls(dataset, np.where(spared, total, 0), horizon, stride, origins)

    @property
    def train(self) -> SequenceDataset:
        """What is left to learn from."""
        return self.dataset.before(self.dataset.lengths - self.steps)

    def windows(self, seed: int) -> Iterator[SequenceDataset]:
        """Yield series up to the end of the horizon after each origin, the newest origin first."""
        series = np.flatnonzero(self.steps)
        if len(series) > MOST_SERIES:
            series = np.sort(np.random.default_rng(seed).choice(series, MOST_SERIES, replace=False))
        chosen = self.dataset.take(series)
        for origin in range(self.origins if len(series) else 0):
            yield chosen.before(chosen.lengths - origin * self.stride)
