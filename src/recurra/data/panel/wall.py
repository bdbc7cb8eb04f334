"""Between absolute time and the clock on the wall, in nanoseconds."""

from __future__ import annotations

import numpy as np

from recurra.types import Integers

__all__ = ["DAY", "HOUR", "MINUTE", "SECOND", "from_wall", "to_wall"]

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def to_wall(times: Integers, zone: str | None) -> Integers:
    """Read the clock on the wall of a time zone.

    Parameters
    ----------
    times : ndarray of int64
        Nanoseconds since 1970 in UTC.
    zone : str, optional
        The time zone; None and ``"UTC"`` change nothing.

    Returns
    -------
    ndarray of int64
        Nanoseconds since midnight of 1970-01-01 on the wall clock. A day that starts at 01:00,
        since summer time took its midnight, is read as starting at midnight.

    Examples
    --------
    >>> int(to_wall(np.array([0]), "Asia/Shanghai")[0]) // 3_600_000_000_000
    8
    """
    if zone is None or zone == "UTC":
        return times
    import pandas as pd

    stamps = pd.DatetimeIndex(times.ravel().view("M8[ns]")).tz_localize("UTC").tz_convert(zone)
    wall = stamps.tz_localize(None).asi8.reshape(times.shape)
    midnight = wall // DAY * DAY
    return np.where(from_wall(midnight, zone) == times, midnight, wall)


def from_wall(wall: Integers, zone: str | None) -> Integers:
    """Turn the clock on the wall into absolute time.

    Parameters
    ----------
    wall : ndarray of int64
        Nanoseconds since midnight of 1970-01-01 on the wall clock.
    zone : str, optional
        The time zone; None and ``"UTC"`` change nothing.

    Returns
    -------
    ndarray of int64
        Nanoseconds since 1970 in UTC. Of an hour that comes twice the first is taken; an hour
        that summer time leaves out moves on to the next one there is.

    Examples
    --------
    >>> int(from_wall(np.array([0]), "Asia/Shanghai")[0]) // 3_600_000_000_000
    -8
    """
    if zone is None or zone == "UTC":
        return wall
    import pandas as pd

    local = pd.DatetimeIndex(wall.ravel().view("M8[ns]"))
    first = np.ones(local.shape, np.bool_)
    stamps = local.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return stamps.tz_convert("UTC").asi8.reshape(wall.shape)
