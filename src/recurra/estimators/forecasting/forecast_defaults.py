"""What a forecaster does when it is not told: lags, context and horizon."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "MANY",
    "default_context",
    "default_decay",
    "default_dropout",
    "default_horizon",
    "default_lags",
]


MANY = 60  # series, from which on there is enough to learn from, and to hold some back whole


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
    for short, long in pairwise(season_lengths):
        if long <= 10 * short:
            lags |= {short * cycle - 1 for cycle in range(1, long // short + 1)}
    return sorted(lags or set()) if season_lengths else list(range(1, 8))


def default_context(season_lengths: Sequence[int]) -> int:
    """Return the steps of a training window: two seasons, between 24 and 64.

    The lags look further back than that; windows three times as long train three times as slowly
    and forecast no better on M4 hourly, M4 weekly and M3 monthly.
    """
    return int(np.clip(2 * min(season_lengths, default=12), 24, 64))


def default_decay(season_lengths: Sequence[int]) -> float:
    """Return the decay of the scale: it remembers two seasons, or 16 to 64 steps."""
    return 1.0 - 1.0 / float(np.clip(2 * min(season_lengths, default=16), 16, 64))


def default_dropout(series: int) -> float:
    """Return the dropout: few series are soon learned by heart, many are not."""
    return 0.2 if series < MANY else 0.0


def default_horizon(season_lengths: Sequence[int]) -> int:
    """Return the steps held back: two seasons, or a quarter of a long one; 8 to 48."""
    season = min(season_lengths, default=4)
    return int(np.clip(2 * season if season <= 24 else season // 4, 8, 48))
