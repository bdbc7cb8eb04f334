"""A model that was tried, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from recurra.tuning.auto_members import BaselineMember, NetworkMember
from recurra.tuning.auto_selection import best_reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recurra.tuning.auto_windows import Windows
    from recurra.types import Floats

__all__ = ["Member", "Trial", "alike", "together"]

Member = BaselineMember | NetworkMember


@dataclass(frozen=True, eq=False)
class Trial:
    """A model, and how well it forecast the validation windows.

    Parameters
    ----------
    member : BaselineMember or NetworkMember
        The model.
    cost : float
        By the measure of the search; infinite where it failed.
    scores : dict of str to float
        By all measures.
    reach : float
        How far beyond the past its forecasts may go, so that the cost is least; see
        `recurra.tuning.auto_selection`.
    seconds : float
        Training and forecasting.
    reading : float
        Seconds of it for reading the series up to one origin, and forecasting from there.
    state : {"whole", "cut short", "failed"}
        Whether it was trained for as long as it was meant to be.
    error : str
        Why it failed.
    forecasts : ndarray, shape (seeds, origins, series, h)
        What it said; of one seed, before several trials are put together.
    """

    member: Member
    cost: float
    scores: dict[str, float]
    reach: float
    seconds: float
    reading: float
    state: str
    error: str = ""
    forecasts: Floats = field(default_factory=lambda: np.empty(0))


def alike(trials: Sequence[Trial]) -> list[list[int]]:
    """Put together what differs by chance alone.

    Parameters
    ----------
    trials : sequence of Trial
        Those that did not fail are looked at.

    Returns
    -------
    list of list of int
        Places of trials of the same model, with another seed.
    """
    groups: dict[object, list[int]] = {}
    for place, each in enumerate(trials):
        if each.state != "failed":
            groups.setdefault(each.member.kind, []).append(place)
    return list(groups.values())


def together(trials: Sequence[Trial], windows: Windows, measure: str) -> Trial:
    """Make one trial of several of the same model.

    Parameters
    ----------
    trials : sequence of Trial
        Of different seeds.
    windows : Windows
        What they were scored on.
    measure : str
        By what.

    Returns
    -------
    Trial
        With the first one's model.
    """
    forecasts = np.concatenate([each.forecasts for each in trials])
    cost, reach = best_reach(forecasts, windows, measure)
    seconds = float(np.median([each.seconds for each in trials]))
    return replace(trials[0], forecasts=forecasts, cost=cost, reach=reach, seconds=seconds)
