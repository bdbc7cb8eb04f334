"""What one step of a clock is: a fixed stretch, or a move on a calendar.

Both kinds answer two questions about stamps in nanoseconds (or in the user's integers): where
is the stamp that lies ``n`` steps on, and how many steps lie between two stamps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from recurra.data.panel.wall import DAY, SECOND
from recurra.errors import DataError, OptionError
from recurra.types import Integers

__all__ = ["CalendarStep", "FixedStep", "parse_step"]

YEAR = 31_556_952 * SECOND
LARGEST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class FixedStep:
    """A step that always spans the same stretch.

    Parameters
    ----------
    size : int
        Nanoseconds, or the user's integers.
    wall : bool
        Whether it is counted on the local wall clock (whole days) or in absolute time.

    Examples
    --------
    >>> FixedStep(2).advance(np.array([10]), np.array([3]))
    array([16])
    >>> FixedStep(2).between(np.array([10, 10]), np.array([14, 15]))
    array([2, 0])
    """

    size: int
    wall: bool = False

    @property
    def length(self) -> int:
        """How long a step is."""
        return self.size

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
        if times.size and steps.size and int(times.max()) + int(steps.max()) * self.size > LARGEST:
            raise out_of_range()
        return times + steps * self.size

    def between(self, earlier: Integers, later: Integers) -> Integers:
        """Count the steps from one stamp to another.

        Parameters
        ----------
        earlier, later : ndarray of int64
            The stamps.

        Returns
        -------
        ndarray of int64
            The number of steps; 0 where the stamps lie no whole number of steps apart.
        """
        stretch = later - earlier
        return np.where(stretch % self.size == 0, stretch // self.size, 0)


@dataclass(frozen=True)
class CalendarStep:
    """A step from one mark of a calendar to the next: months, quarters, weeks, business days.

    pandas draws the calendar: the marks are ``pandas.date_range(..., freq=offset)``. The time of
    the day is kept.

    Parameters
    ----------
    offset : pandas.offsets.BaseOffset
        One move on the calendar.
    count : int
        How many moves make a step.
    shift : int
        Days between a mark of the calendar and the stamps.

    Examples
    --------
    >>> step = CalendarStep(pd.offsets.MonthEnd())
    >>> last = np.array(["2024-01-31"], "M8[ns]").astype("int64")
    >>> step.advance(last, np.array([1])).astype("M8[ns]").astype("M8[D]")
    array(['2024-02-29'], dtype='datetime64[D]')
    """

    offset: pd.offsets.BaseOffset
    count: int = 1
    shift: int = 0
    wall = True

    @cached_property
    def per_year(self) -> int:
        """How many marks an ordinary year holds."""
        return len(pd.date_range("2001-01-01", "2001-12-31", freq=self.offset))

    @property
    def length(self) -> int:
        """How long a step is, on average."""
        return YEAR * self.count // max(self.per_year, 1)

    def advance(self, times: Integers, steps: Integers) -> Integers:
        """Move stamps on by a number of steps each, as `FixedStep.advance` does."""
        if not times.size or not steps.size:
            return times + steps
        dates = times // DAY * DAY - self.shift * DAY
        marks = self._marks(dates, int(steps.max()) * self.count)
        place = np.searchsorted(marks, dates)
        return marks[place + steps * self.count] + (times - dates)

    def between(self, earlier: Integers, later: Integers) -> Integers:
        """Count the steps from one stamp to another, as `FixedStep.between` does."""
        if not earlier.size:
            return np.zeros(0, np.int64)
        before, after = (times // DAY * DAY - self.shift * DAY for times in (earlier, later))
        marks = self._marks(np.concatenate([before, after]), 1)
        start, stop = np.searchsorted(marks, before), np.searchsorted(marks, after)
        whole = (marks[start] == before) & (marks[stop] == after)
        whole &= (earlier - before == later - after) & ((stop - start) % self.count == 0)
        return np.where(whole, (stop - start) // self.count, 0)

    def _marks(self, dates: Integers, beyond: int) -> Integers:
        """List the marks from the first date to the last, and some beyond."""
        first, last = pd.Timestamp(int(dates.min())), pd.Timestamp(int(dates.max()))
        try:
            inside = pd.date_range(first, last, freq=self.offset)
            start = inside[-1] if len(inside) else first
            outside = pd.date_range(start, periods=beyond + 2, freq=self.offset)
            return np.union1d(inside.as_unit("ns").asi8, outside.as_unit("ns").asi8)
        except (pd.errors.OutOfBoundsDatetime, OverflowError) as error:
            raise out_of_range() from error


def parse_step(freq: str) -> tuple[str, FixedStep | CalendarStep]:
    """Read a pandas offset alias, or ``"M-15"`` for a day of every month.

    Parameters
    ----------
    freq : str
        Such as ``"h"``, ``"15min"``, ``"D"``, ``"W-SUN"``, ``"MS"``, ``"QE"`` or ``"2M-15"``.

    Returns
    -------
    alias : str
        The alias in its full spelling.
    step : FixedStep or CalendarStep
        What it means.

    Examples
    --------
    >>> parse_step("QE")[0]
    'QE-DEC'
    >>> parse_step("D")[1].wall
    True
    """
    monthly = re.fullmatch(r"(\d*)M-(\d\d?)", freq)
    if monthly and 1 <= int(monthly[2]) <= 28:
        return freq, CalendarStep(
            pd.offsets.MonthBegin(), int(monthly[1] or 1), int(monthly[2]) - 1
        )
    try:
        offset = to_offset(freq)
    except ValueError as error:
        message = f"freq={freq!r} is no pandas offset alias ({error})"
        raise OptionError(
            f"{message}. Use one such as 'h', '15min', 'D', 'W-SUN', 'MS'."
        ) from error
    if offset is None or offset.n < 1 or isinstance(offset, pd.offsets.BusinessHour):
        raise OptionError(f"freq={freq!r} is no step forward. Use one such as 'h', 'D' or 'MS'.")
    if isinstance(offset, pd.offsets.Day):
        return offset.freqstr, FixedStep(offset.n * DAY, wall=True)
    if isinstance(offset, pd.offsets.Tick):
        return offset.freqstr, FixedStep(offset.nanos)
    return offset.freqstr, CalendarStep(offset.base, offset.n)


def out_of_range() -> DataError:
    """Make the error for stamps that no int64 holds.

    Returns
    -------
    DataError
        To be raised by the caller.
    """
    return DataError(
        "The time stamps run past the year 2262, the last that nanoseconds can say",
        code="time_range",
        hint="Ask for fewer steps, or use integers as stamps.",
    )
