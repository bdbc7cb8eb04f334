"""How the holes of a channel are best filled, by the pattern after which it goes missing."""

from __future__ import annotations

from typing import NamedTuple

from recurra.auditing.profile import Profile
from recurra.data.sequences import STATIC

__all__ = ["Way", "way_to_fill"]

PHASES = {
    "hour of day": "hour",
    "weekday": "weekday",
    "hour of week": "hour of week",
    "month of year": "month",
    "week of year": "month",
    "day of year": "month",
}
"""The season by which a hole is filled, for each cycle in which it may come back."""

STALE = 6
"""A value this many steps old tells less than the channels beside it."""


class Way(NamedTuple):
    """A way to fill holes.

    Parameters
    ----------
    method, then, period, limit : str, str or tuple of str, int or str or None, int or None
        As `recurra.data.treatments.Fill` takes them.
    reason : str
        Why, in a few words.
    """

    method: str
    then: str | tuple[str, ...]
    period: int | str | None
    reason: str
    limit: int | None = None


def way_to_fill(profile: Profile, others: bool, regular: bool) -> Way:
    """Choose how a channel is filled; every way is causal.

    Parameters
    ----------
    profile : Profile
        A channel that lacks values.
    others : bool
        Whether there are other channels of numbers on the same clock.
    regular : bool
        Whether the clock is: between events the last value holds until the next, however long.

    Returns
    -------
    Way
        The last value before; in long gaps of a regular clock no longer than six steps, then what
        the other channels tell, or the season; the median of a static covariate.
    """
    missing = profile.missing
    if profile.stream == STATIC:
        return Way("median", "median", None, "unknown of some records")
    if regular and others and missing.longest > STALE and missing.pattern != "sparse":
        reason = "long gaps: the last value for six steps, then what the other channels tell"
        return Way("forward", ("regression", "mean"), None, reason, STALE)
    period: int | str | None = PHASES.get(missing.phase or "")
    whole = missing.period is not None and float(missing.period).is_integer()
    if period is None and missing.pattern in ("seasonal", "periodic") and whole:
        period = int(missing.period or 0)
    if period is not None and missing.pattern in ("seasonal", "yearly", "periodic"):
        reason = f"missing every {missing.cycle}: the mean of that phase, else the last value"
        return Way("seasonal", ("forward", "mean"), period, reason)
    return Way("forward", "mean", None, "holes get the last value before, nothing from after")
