"""Where in the day, the week and the year a stamp lies, as sines and cosines."""

from __future__ import annotations

import numpy as np

from recurra.data.panel.clock import Clock
from recurra.data.panel.wall import DAY, HOUR, to_wall
from recurra.types import Floats, Integers, Reals

__all__ = ["calendar_features"]

PHASES = {
    "integer": (),
    "minute": ("minute_of_hour", "hour_of_day", "day_of_week", "day_of_year"),
    "hour": ("hour_of_day", "day_of_week", "day_of_year"),
    "day": ("day_of_week", "day_of_year"),
    "week": ("week_of_year",),
    "month": ("month_of_year",),
    "quarter": ("quarter_of_year",),
    "year": (),
    "irregular": ("hour_of_day", "day_of_week", "day_of_year"),
}


def calendar_features(times: Integers, clock: Clock) -> tuple[Reals, tuple[str, ...]]:
    """Give the phases that change from step to step on this clock.

    Each phase φ, from 0 to 1, becomes sin 2πφ and cos 2πφ, so that midnight is near 23:00. They
    are read from the wall clock of the clock's time zone.

    Parameters
    ----------
    times : ndarray of int64, shape (rows,)
        The stamps.
    clock : Clock
        Their clock.

    Returns
    -------
    features : ndarray of float32, shape (rows, columns)
        The sines and cosines; no column for integer stamps.
    names : tuple of str
        What each column is.

    Examples
    --------
    >>> noon = np.array(["2024-01-01T12", "2024-07-01T18"], "M8[ns]").astype("int64")
    >>> features, names = calendar_features(noon, Clock("timestamp", "h"))
    >>> names[:2]
    ('sin_hour_of_day', 'cos_hour_of_day')
    >>> features[:, 1].round(2)
    array([-1., -0.], dtype=float32)
    """
    phases = PHASES[clock.grain]
    if clock.kind == "date":
        phases = tuple(phase for phase in phases if phase != "hour_of_day")
    names = tuple(f"{wave}_{phase}" for phase in phases for wave in ("sin", "cos"))
    features = np.empty((len(times), len(names)), np.float32)
    wall = to_wall(times, clock.zone) if phases else times
    for place, phase in enumerate(phases):
        angle = 2 * np.pi * _phase(wall, phase)
        features[:, 2 * place], features[:, 2 * place + 1] = np.sin(angle), np.cos(angle)
    return features, names


def _phase(wall: Integers, name: str) -> Floats:
    """Say how much of a cycle is over, from 0 to 1."""
    if name == "minute_of_hour":
        return wall % HOUR / HOUR
    if name == "hour_of_day":
        return wall % DAY / DAY
    days = wall // DAY
    if name == "day_of_week":
        return (days + 3) % 7 / 7
    dates = days.view("M8[D]")
    year = dates.astype("M8[Y]")
    if name in ("month_of_year", "quarter_of_year"):
        months = dates.astype("M8[M]").astype(np.int64)
        return months % 12 / 12 if name == "month_of_year" else months % 12 // 3 / 4
    start, stop = (edge.astype("M8[D]").astype(np.int64) for edge in (year, year + 1))
    return (days - start) / (stop - start)
