"""Fill holes with the mean of the same phase of a season."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.data.panel.wall import DAY, HOUR, to_wall
from recurra.data.sequences import Stream
from recurra.errors import DataError, OptionError
from recurra.types import Floats, Integers

__all__ = ["CALENDAR_PERIODS", "SeasonalFiller", "check_period", "learn_season", "phases"]

CALENDAR_PERIODS = {"hour": 24, "weekday": 7, "hour of week": 168, "month": 12}


@dataclass(frozen=True)
class SeasonalFiller:
    """Fills holes with what was learned of their phase.

    Parameters
    ----------
    table : ndarray of float64, shape (phases, columns), optional
        What `learn_season` returned; None fills nothing.
    phase : ndarray of int64, shape (steps,), optional
        The phase of each step.
    """

    table: Floats | None
    phase: Integers | None

    def at(self, place: int, rows: Integers) -> Floats:
        """Fill one channel; see ``GapFiller.at``."""
        if self.table is None or self.phase is None:
            return np.full(len(rows), np.nan)
        found: Floats = self.table[self.phase[rows], place]
        return found


def check_period(period: int | str | None) -> None:
    """Refuse what is no period.

    Parameters
    ----------
    period : int or str, optional
        A number of steps, or one of `CALENDAR_PERIODS`.
    """
    steps = isinstance(period, int) and not isinstance(period, bool) and period >= 2
    if not steps and (not isinstance(period, str) or period not in CALENDAR_PERIODS):
        names = ", ".join(map(repr, CALENDAR_PERIODS))
        hint = f"Give a number of steps from 2 on, or one of {names}."
        raise OptionError(f"Seasonal means need a period, but period={period!r}. {hint}")


def phases(stream: Stream, period: int | str) -> Integers | None:
    """Say which phase of a season each step has.

    Parameters
    ----------
    stream : Stream
        The stream.
    period : int or str
        A number of steps, counted from the start of each record; or ``"hour"``, ``"weekday"``,
        ``"hour of week"`` or ``"month"`` on the clock on the wall of the stream's time zone.

    Returns
    -------
    ndarray of int64, shape (steps,), or None
        From 0 on; Monday and January are 0. None for a stream without a calendar whose records
        have one step at most, such as static covariates.

    Examples
    --------
    >>> stream = Stream(np.zeros((5, 1)), np.array([0, 3, 5]), ("x",))
    >>> phases(stream, 2)
    array([0, 1, 0, 0, 1])
    """
    if isinstance(period, int):
        places = np.arange(stream.rows) - np.repeat(stream.offsets[:-1], stream.lengths)
        return places % period
    if stream.clock != "calendar" or stream.times is None:
        if (stream.lengths <= 1).all():
            return None
        message = (
            f"period={period!r} is one of a calendar, but the stream has a {stream.clock} clock"
        )
        hint = "Give the period as a number of steps, or the times as datetime64."
        raise DataError(message, code="no_calendar", hint=hint)
    wall = to_wall(stream.times, stream.zone)
    if period == "month":
        return wall.view("M8[ns]").astype("M8[M]").astype(np.int64) % 12
    if period == "hour":
        return wall % DAY // HOUR
    weekday = (wall // DAY + 3) % 7
    return weekday if period == "weekday" else weekday * 24 + wall % DAY // HOUR


def learn_season(stream: Stream, columns: list[int], period: int | str) -> Floats | None:
    """Average each phase of a season.

    Parameters
    ----------
    stream : Stream
        Of the training part.
    columns : list of int
        The channels.
    period : int or str
        As for `phases`.

    Returns
    -------
    ndarray of float64, shape (phases, columns), or None
        NaN where a phase was never observed; None where the stream has no phases.
    """
    phase = phases(stream, period)
    if phase is None:
        return None
    count = period if isinstance(period, int) else CALENDAR_PERIODS[period]
    table = np.full((count, len(columns)), np.nan)
    for place, column in enumerate(columns):
        rows = np.flatnonzero(stream.mask[:, column])
        values = stream.values[rows, column].astype(np.float64)
        number = np.bincount(phase[rows], minlength=count)
        total = np.bincount(phase[rows], values, minlength=count)
        np.divide(total, number, out=table[:, place], where=number > 0)
    return table
