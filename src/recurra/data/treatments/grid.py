"""Marks of time, numbered: every hour, every midnight of a zone, the first of every month."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recurra.data.panel.steps import CalendarStep, FixedStep, out_of_range, parse_step
from recurra.data.panel.wall import DAY, from_wall, to_wall
from recurra.data.sequences import Stream
from recurra.errors import DataError, OptionError
from recurra.types import Array, Integers

__all__ = ["Grid", "grid_of"]

NEARLY = 1e-9
"""A number within this share of a step of a mark is on it: 0.3 is three steps of 0.1."""
MOST_STEPS = 2.0**53


@dataclass(frozen=True)
class Grid(ABC):
    """Marks of time, numbered from an origin of each record.

    Parameters
    ----------
    origin : {"record", "clock"}
        Whether each record's first stamp is a mark, or the clock's own zero.
    """

    origin: str

    @abstractmethod
    def number(self, times: Array, origins: Array) -> Integers:
        """Number the first mark at or after each moment.

        Parameters
        ----------
        times : ndarray, shape (rows,)
            The moments.
        origins : ndarray, shape (rows,)
            The first stamp of each one's record.

        Returns
        -------
        ndarray of int64, shape (rows,)
            The numbers; never falling where times never fall.
        """

    @abstractmethod
    def mark(self, numbers: Integers, origins: Array) -> Array:
        """Say when marks are.

        Parameters
        ----------
        numbers : ndarray of int64, shape (rows,)
            Their numbers.
        origins : ndarray, shape (rows,)
            The first stamp of each one's record.

        Returns
        -------
        ndarray, shape (rows,)
            The moments.
        """


def grid_of(every: str | float, stream: Stream, origin: str) -> Grid:
    """Make the marks for a stream's clock.

    Parameters
    ----------
    every : str or float
        A pandas offset alias for a calendar, a number for a clock of numbers.
    stream : Stream
        With times.
    origin : {"record", "clock"}
        Where the marks are counted from.

    Returns
    -------
    Grid
        The marks.

    Raises
    ------
    OptionError
        If `every` does not suit the clock.

    Examples
    --------
    >>> times = np.array([0.0, 0.3, 1.0])
    >>> stream = Stream(np.zeros((3, 1)), np.array([0, 3]), ("x",), times=times, clock="number")
    >>> grid_of(0.5, stream, "record").number(times, np.zeros(3))
    array([0, 1, 2])
    """
    if stream.clock == "calendar":
        if not isinstance(every, str):
            message = f"The clock is a calendar, but every={every!r}"
            raise OptionError(f"{message}. Use a pandas offset alias such as '1h', '15min' or 'D'.")
        step = _read_step(every)
        if isinstance(step, CalendarStep):
            return _calendar(step, stream, origin)
        return _Wall(origin, step.size, stream.zone) if step.wall else _Ticks(origin, step.size)
    if isinstance(every, str):
        message = f"The clock is one of numbers, but every={every!r}"
        raise OptionError(f"{message}. Use a number, in the units of the times.")
    whole = isinstance(every, int) and stream.clock_times.dtype.kind in "iu"
    return _Ticks(origin, int(every)) if whole else _Numbers(origin, float(every))


def _read_step(every: str) -> FixedStep | CalendarStep:
    """Read an offset alias; refuse by the name the user knows it by."""
    try:
        return parse_step(every)[1]
    except OptionError as error:
        raise OptionError(str(error).replace("freq=", "every=", 1)) from error


@dataclass(frozen=True)
class _Ticks(Grid):
    """A fixed stretch of integers: nanoseconds in UTC, or the user's."""

    size: int

    def number(self, times: Array, origins: Array) -> Integers:
        """Count in integers, exactly."""
        return -((self._zero(origins) - times) // self.size)

    def mark(self, numbers: Integers, origins: Array) -> Array:
        """Count back."""
        return self._zero(origins) + numbers * self.size

    def _zero(self, origins: Array) -> Array:
        return origins if self.origin == "record" else np.zeros_like(origins)


@dataclass(frozen=True)
class _Numbers(Grid):
    """A fixed stretch of real numbers."""

    size: float

    def number(self, times: Array, origins: Array) -> Integers:
        """Count, with what rounding leaves of a step given back."""
        zero = origins if self.origin == "record" else np.zeros_like(origins)
        with np.errstate(over="ignore"):
            steps = (times - zero) / self.size
        if steps.size and not np.abs(steps).max() < MOST_STEPS:
            raise DataError(
                f"The times lie up to {np.abs(steps).max():.3g} steps of {self.size:g} apart",
                code="sparse",
                hint="Use a larger step.",
            )
        return np.ceil(steps - NEARLY).astype(np.int64)

    def mark(self, numbers: Integers, origins: Array) -> Array:
        """Count back."""
        return (origins if self.origin == "record" else 0.0) + numbers * self.size


@dataclass(frozen=True)
class _Wall(Grid):
    """Whole days on the wall clock of a zone: some last 23 hours, some 25."""

    size: int
    zone: str | None

    def number(self, times: Array, origins: Array) -> Integers:
        """Count on the wall, then correct for hours that came twice or never."""
        guess = -((self._zero(origins) - to_wall(times, self.zone)) // self.size)
        if self.zone is None or self.zone == "UTC":
            return guess
        guess = np.where(self.mark(guess, origins) < times, guess + 1, guess)
        return np.where(self.mark(guess - 1, origins) >= times, guess - 1, guess)

    def mark(self, numbers: Integers, origins: Array) -> Array:
        """Count on the wall, and turn it into absolute time."""
        return from_wall(self._zero(origins) + numbers * self.size, self.zone)

    def _zero(self, origins: Array) -> Array:
        return to_wall(origins, self.zone) if self.origin == "record" else np.zeros_like(origins)


@dataclass(frozen=True)
class _Calendar(Grid):
    """Months, weeks, quarters … as pandas draws them; numbered from 1970, whatever the origin."""

    marks: Any
    first: int

    def number(self, times: Array, origins: Array) -> Integers:  # noqa: ARG002
        """Look the moments up among the marks."""
        found: Integers = np.searchsorted(self.marks, times, side="left") + self.first
        return found

    def mark(self, numbers: Integers, origins: Array) -> Array:  # noqa: ARG002
        """Look the numbers up."""
        found: Array = self.marks[numbers - self.first]
        return found


def _calendar(step: CalendarStep, stream: Stream, origin: str) -> _Calendar:
    """Draw the marks that a stream's times need, each with a number that no other times change."""
    when = stream.clock_times if stream.rows else np.zeros(1, np.int64)
    times = to_wall(np.array([when.min(), when.max()]), stream.zone)
    start = min(int(times[0]), 0) // DAY * DAY - step.shift * DAY
    stop = int(times[1]) + 2 * step.length + 2 * DAY
    try:
        drawn = pd.date_range(pd.Timestamp(start), pd.Timestamp(stop), freq=step.offset)
    except (pd.errors.OutOfBoundsDatetime, OverflowError) as error:
        raise out_of_range() from error
    wall = drawn.as_unit("ns").asi8 + step.shift * DAY
    numbers = np.arange(len(wall)) - np.searchsorted(wall, 0)
    kept = numbers % step.count == 0
    return _Calendar(
        origin, from_wall(wall[kept], stream.zone), int(numbers[kept][0]) // step.count
    )
