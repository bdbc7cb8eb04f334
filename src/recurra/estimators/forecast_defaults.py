"""What a forecaster does when it is not told: lags, context, and what to hold back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from recurra.types import Integers

__all__ = ["HeldBack", "default_context", "default_decay", "default_horizon", "default_lags"]

WINDOWS = 50  # validation windows wanted, over all series
MOST_ORIGINS = 5  # of them in one series


def default_lags(season_lengths: Sequence[int]) -> list[int]:
    """Choose how many steps back the network looks directly, beside what it remembers.

    The step to foretell lies one ahead of the newest, so the same phase of the last season of
    length m lies m - 1 steps back.

    Parameters
    ----------
    season_lengths : sequence of int
        Seasons, in steps; may be empty.

    Returns
    -------
    list of int
        Lags, rising.

    Examples
    --------
    >>> default_lags([4])
    [1, 2, 3, 4, 5, 6, 7, 8]
    """
    lags = {1, 2, 3}
    for season in season_lengths:
        near = range(1, season + 2) if season <= 12 else range(season - 3, season + 2)
        lags |= set(near) if season <= 24 else {season - 2, season - 1, season}
        lags |= {2 * season - 1} | ({2 * season - 2, 2 * season} if season <= 24 else set())
    for short, long in zip(season_lengths, season_lengths[1:], strict=False):
        if long <= 10 * short:
            lags |= {short * cycle - 1 for cycle in range(1, long // short + 1)}
    return sorted(lags or set()) if season_lengths else list(range(1, 8))


def default_context(season_lengths: Sequence[int]) -> int:
    """Return the steps of a training window: two seasons, between 48 and 168."""
    return int(np.clip(2 * max(season_lengths, default=24), 48, 168))


def default_decay(season_lengths: Sequence[int]) -> float:
    """Return the decay of the scale: it remembers two seasons, or 16 to 64 steps."""
    return 1.0 - 1.0 / float(np.clip(2 * min(season_lengths, default=16), 16, 64))


def default_horizon(season_lengths: Sequence[int]) -> int:
    """Return the steps held back: a season and a half or two, between 8 and 48."""
    season = min(season_lengths, default=1)
    return int(np.clip(2 * season if season >= 24 else 1.5 * season, 8, 48))


@dataclass(frozen=True)
class HeldBack:
    """The end of every series that is kept from training, to stop it and to calibrate intervals.

    Attributes
    ----------
    steps : ndarray, shape (series,)
        Rows held back; 0 where a series is too short to spare any.
    horizon : int
        Steps foretold from one origin.
    stride : int
        Steps between two origins.
    origins : int
        Origins in each series.
    """

    steps: Integers
    horizon: int
    stride: int
    origins: int

    @classmethod
    def plan(cls, lengths: Integers, horizon: int) -> HeldBack:
        """Hold back a horizon, more if there are few series, at most a quarter of the usual one.

        Parameters
        ----------
        lengths : ndarray, shape (series,)
            Rows of every series.
        horizon : int
            Steps wanted.

        Returns
        -------
        HeldBack
            The plan.
        """
        room = max(1, int(np.median(lengths)) // 4)
        horizon = min(horizon, room)
        stride = max(1, horizon // 4)
        wanted = int(np.clip(WINDOWS // len(lengths), 1, MOST_ORIGINS))
        origins = min(wanted, 1 + (room - horizon) // stride)
        total = horizon + (origins - 1) * stride
        spared = lengths >= total + max(8, horizon)
        return cls(np.where(spared, total, 0), horizon, stride, origins)

    def ends(self, lengths: Integers) -> Iterator[tuple[Integers, Integers]]:
        """Yield the series and how many of their rows come before each origin, the newest first."""
        series = np.flatnonzero(self.steps)
        for origin in range(self.origins):
            yield series, lengths[series] - self.horizon - origin * self.stride
