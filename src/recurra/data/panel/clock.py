"""The clock of a data set: how its time is written, and how it steps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from recurra.data.panel.frequency import infer_integer_step, infer_step
from recurra.data.panel.gaps import same_record
from recurra.data.panel.steps import CalendarStep, FixedStep, out_of_range, parse_step
from recurra.data.panel.wall import DAY, HOUR, MINUTE, SECOND, from_wall, to_wall
from recurra.errors import DataError, OptionError
from recurra.types import Integers

__all__ = ["Clock"]

KINDS = ("integer", "timestamp", "date")
GRAINS = ((HOUR, "minute"), (DAY, "hour"), (156 * HOUR, "day"), (28 * DAY, "week"))


@dataclass(frozen=True)
class Clock:
    """How time is written and how it steps.

    Inside the library a stamp is an int64: the user's integer, or nanoseconds since 1970 in UTC.
    Steps below a day count in absolute time; days and calendar steps on the local wall clock,
    so that a daily series stays at midnight when summer time comes.

    Parameters
    ----------
    kind : {"integer", "timestamp", "date"}
        What the user's stamps are.
    step : int or str, optional
        The step between stamps: an integer, or a pandas offset alias such as ``"h"``, ``"MS"``,
        ``"W-SUN"`` (and ``"M-15"`` for the 15th of every month). None if the stamps keep no step.
    zone : str, optional
        The time zone of the user's timestamps; None if they carry none.
    unit : str
        The resolution of the user's timestamps, to hand them back alike.

    Examples
    --------
    >>> clock = Clock("timestamp", "MS")
    >>> last = np.array(["2024-11-01"], "M8[ns]").astype("int64")
    >>> clock.to_output(clock.following(last, 2)[0])
    DatetimeIndex(['2024-12-01', '2025-01-01'], dtype='datetime64[ns]', freq=None)
    >>> clock.season_lengths
    (12,)
    """

    kind: str
    step: int | str | None = None
    zone: str | None = None
    unit: str = "ns"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"A clock's kind is one of {KINDS}, not {self.kind!r}.")
        if self.step is None:
            return
        if self.kind == "integer":
            if isinstance(self.step, bool) or not isinstance(self.step, int) or self.step < 1:
                message = f"The time stamps are integers, but freq={self.step!r}"
                hint = "Use a positive int, or turn the stamps into dates with pandas.to_datetime."
                raise OptionError(f"{message}. {hint}")
        elif not isinstance(self.step, str):
            message = f"The time stamps are {self.kind}s, but freq={self.step!r}"
            raise OptionError(f"{message}. Use a pandas offset alias such as 'h', 'D' or 'MS'.")
        else:
            object.__setattr__(self, "step", parse_step(self.step)[0])
            if self.kind == "date" and self.grain in ("minute", "hour"):
                message = f"The stamps are dates, which cannot step by {self.step!r}"
                raise OptionError(f"{message}. Turn them into timestamps with pandas.to_datetime.")

    @classmethod
    def infer(
        cls,
        times: Integers,
        offsets: Integers,
        *,
        kind: str = "timestamp",
        zone: str | None = None,
        unit: str = "ns",
    ) -> Clock:
        """Find the commonest step of sorted stamps; missing stamps do no harm.

        Parameters
        ----------
        times : ndarray of int64, shape (rows,)
            The stamps, increasing within each record.
        offsets : ndarray of int64, shape (records + 1,)
            Where each record starts.
        kind, zone, unit : str
            As for the clock.

        Returns
        -------
        Clock
            With `step` None if some stamp is off every grid.

        Examples
        --------
        >>> Clock.infer(np.array([0, 2, 4, 8, 10]), np.array([0, 5]), kind="integer").step
        2
        """
        if kind == "integer":
            return cls(kind, infer_integer_step(times, offsets), None, unit)
        return cls(kind, infer_step(times, offsets, zone), zone, unit)

    @property
    def regular(self) -> bool:
        """Whether the stamps keep a step."""
        return self.step is not None

    @property
    def grain(self) -> str:
        """About how long a step is: ``"minute"``, ``"hour"``, … ``"year"``.

        ``"integer"`` for integers and ``"irregular"`` for timestamps that keep no step.
        """
        if self.kind == "integer" or self.step is None:
            return "integer" if self.kind == "integer" else "irregular"
        length = self._step.length
        grains = (*GRAINS, (89 * DAY, "month"), (360 * DAY, "quarter"))
        return next((name for limit, name in grains if length < limit), "year")

    @property
    def season_lengths(self) -> tuple[int, ...]:
        """How many steps make a season, the shortest first; () where nothing is known."""
        if self.kind == "integer" or self.step is None:
            return ()
        if isinstance(self._step, CalendarStep):
            return _calendar_seasons(self._step)
        return _fixed_seasons(self._step.size)

    def following(self, last: Integers, h: int, spacing: Integers | None = None) -> Integers:
        """Give the stamps that follow.

        Parameters
        ----------
        last : ndarray of int64, shape (records,)
            The last stamp of each record.
        h : int
            How many stamps to give.
        spacing : ndarray of int64, shape (records,), optional
            The usual distance between stamps, needed where the clock keeps no step.

        Returns
        -------
        ndarray of int64, shape (records, h)
            The following stamps.
        """
        ahead = np.arange(1, h + 1, dtype=np.int64)
        if self.step is not None:
            return self.advance(last[:, None], ahead[None, :])
        if spacing is None or (spacing < 1).any():
            raise DataError(
                "The time stamps keep no regular step, so what follows them is not known",
                code="irregular",
                hint="Give freq, such as freq='D'.",
            )
        if last.size and int((last.astype(object) + spacing.astype(object) * h).max()) >= 2**63:
            raise out_of_range()
        return last[:, None] + spacing[:, None] * ahead[None, :]

    def advance(self, times: Integers, steps: Integers) -> Integers:
        """Move stamps on by a number of steps each.

        Parameters
        ----------
        times : ndarray of int64
            The stamps.
        steps : ndarray of int64
            How many steps to move each; broadcasts against `times`.

        Returns
        -------
        ndarray of int64
            The stamps reached.
        """
        if not self._step.wall:
            return self._step.advance(times, steps)
        return from_wall(self._step.advance(to_wall(times, self.zone), steps), self.zone)

    def steps_since_previous(self, times: Integers, offsets: Integers) -> Integers:
        """Count the steps from each row of a record to the row before it.

        Parameters
        ----------
        times : ndarray of int64, shape (rows,)
            The stamps, increasing within each record.
        offsets : ndarray of int64, shape (records + 1,)
            Where each record starts.

        Returns
        -------
        ndarray of int64, shape (rows,)
            1 where no stamp is missing, more where some are, 0 where the stamp is off the grid.
            A record's first row counts 1.
        """
        local = to_wall(times, self.zone) if self._step.wall else times
        since = np.ones(len(times), np.int64)
        place = np.flatnonzero(same_record(offsets)) + 1
        since[place] = self._step.between(local[place - 1], local[place])
        return since

    def to_output(self, times: Integers) -> pd.Index:
        """Write stamps as the user wrote them.

        Parameters
        ----------
        times : ndarray of int64, shape (rows,)
            The stamps.

        Returns
        -------
        pandas.Index
            Integers, timestamps (in the user's time zone if there was one) or dates.
        """
        if self.kind == "integer":
            return pd.Index(times, dtype=self.unit if "int" in self.unit else "int64")
        if self.kind == "date":
            return pd.Index(times.view("M8[ns]").astype("M8[D]").astype(object), dtype=object)
        stamps = pd.DatetimeIndex(times.view("M8[ns]")).as_unit(self.unit)  # type: ignore[arg-type]
        return stamps if self.zone is None else stamps.tz_localize("UTC").tz_convert(self.zone)

    def show(self, time: int) -> str:
        """Write one stamp for a message.

        Parameters
        ----------
        time : int
            The stamp.

        Returns
        -------
        str
            The stamp as the user would write it.

        Examples
        --------
        >>> Clock("date").show(0)
        '1970-01-01'
        """
        return str(self.to_output(np.array([time], np.int64))[0])

    @cached_property
    def _step(self) -> FixedStep | CalendarStep:
        """The step's arithmetic."""
        if self.step is None:
            raise ValueError("the clock keeps no step")
        return FixedStep(self.step) if isinstance(self.step, int) else parse_step(self.step)[1]


def _calendar_seasons(step: CalendarStep) -> tuple[int, ...]:
    """Say how many calendar steps make a season: a week of business days, else a year."""
    if isinstance(step.offset, pd.offsets.BusinessDay):
        return (5,) if step.count == 1 else ()
    if isinstance(step.offset, pd.offsets.Week):
        return (52,) if step.count == 1 else ()
    whole = step.per_year % step.count == 0 and step.per_year > step.count
    return (step.per_year // step.count,) if whole else ()


def _fixed_seasons(size: int) -> tuple[int, ...]:
    """Say how many fixed steps make a season: the cycles of the clock on the wall."""
    if size in (DAY, 7 * DAY):
        return (7,) if size == DAY else (52,)
    if size >= DAY or size < SECOND:
        return ()
    cycles = (DAY, 7 * DAY) if size >= MINUTE else (HOUR, DAY)
    return tuple(cycle // size for cycle in cycles if cycle % size == 0)
