"""The cycles of the calendar: where in the hour, day, week, month and year a row stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from recurra.types import Booleans, Integers

__all__ = ["Cycle", "calendar_cycles", "usual_step"]

SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
WEEK, MONTH, YEAR = 7 * DAY, 30.4375 * DAY, 365.25 * DAY
FEWEST_TURNS = 3
"""A cycle is looked at if the records cover it this often."""
WIDTHS = [
    *(one * SECOND for one in (1, 5, 10, 15, 30)),
    *(one * MINUTE for one in (1, 5, 10, 15, 30)),
    *(one * HOUR for one in (1, 2, 3, 4, 6, 8, 12)),
]
MOST_PHASES = 2016
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, eq=False)
class Cycle:
    """A cycle, and where in it each row stands.

    Parameters
    ----------
    name : str
        What a phase is called: ``"hour of day"``, ``"weekday"``.
    period : str
        How long the cycle is, for people: ``"24 hours"``.
    phase : ndarray of int64, shape (rows,)
        From 0 to ``size - 1``.
    size : int
        Phases in the cycle.
    steps : float
        Rows in the cycle, as the clock usually goes.
    labels : tuple of str, shape (size,)
        The name of each phase; none where phases are only steps.
    timed : bool
        Whether labels are moments, at which a phase begins; else they name the whole phase.
    """

    name: str
    period: str
    phase: Integers
    size: int
    steps: float
    labels: tuple[str, ...]
    timed: bool = False

    def describe(self, chosen: Booleans) -> str:
        """Name the chosen phases, neighbours as a range.

        Parameters
        ----------
        chosen : ndarray of bool, shape (size,)
            The phases to name.

        Returns
        -------
        str
            As in ``"Saturday and Sunday"`` or ``"22:00 to 06:00"``.
        """
        if chosen.all():
            return "all of it"
        ranges = []
        for first, last in stretches(chosen):
            end = (last + 1) % self.size if self.timed else last
            names = (self.labels[first], self.labels[end])
            pair = not self.timed and (last - first) % self.size == 1
            joint = " and " if pair else " to "
            ranges.append(names[0] if first == end else joint.join(names))
        *most, one = ranges[:4]
        text = f"{', '.join(most)} and {one}" if most else one
        return text if len(ranges) <= 4 else f"{', '.join(ranges[:4])} and {len(ranges) - 4} more"


def stretches(chosen: Booleans) -> list[tuple[int, int]]:
    """Find the runs of True on a circle.

    Parameters
    ----------
    chosen : ndarray of bool, shape (size,)
        A circle: the last stands beside the first.

    Returns
    -------
    list of (int, int)
        First and last of each run.

    Examples
    --------
    >>> stretches(np.array([1, 0, 1, 1, 0, 1], bool))
    [(2, 3), (5, 0)]
    """
    if chosen.all():
        return [(0, len(chosen) - 1)]
    firsts = np.flatnonzero(chosen & ~np.roll(chosen, 1))
    lasts = np.flatnonzero(chosen & ~np.roll(chosen, -1))
    if len(lasts) and lasts[0] < firsts[0]:
        lasts = np.roll(lasts, -1)
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def usual_step(times: Integers, offsets: Integers) -> int:
    """Give the median distance of neighbouring rows within records; 0 if there are none.

    Parameters
    ----------
    times : ndarray of int64, shape (rows,)
        Nanoseconds.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.

    Returns
    -------
    int
        Nanoseconds.

    Examples
    --------
    >>> usual_step(np.array([0, 10, 20, 5, 15]), np.array([0, 3, 5]))
    10
    """
    steps = np.diff(times)
    inner = np.ones(len(steps), bool)
    borders = offsets[1:-1]
    inner[borders[(borders > 0) & (borders < len(times))] - 1] = False
    steps = steps[inner & (steps > 0)]
    return int(np.median(steps)) if len(steps) else 0


def calendar_cycles(times: Integers, offsets: Integers, step: int) -> list[Cycle]:
    """Place rows in every cycle of the calendar that they cover thrice, and that their step shows.

    Parameters
    ----------
    times : ndarray of int64, shape (rows,)
        Nanoseconds since 1970.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    step : int
        The usual distance of two rows, in nanoseconds.

    Returns
    -------
    list of Cycle
        The shorter first.

    Examples
    --------
    >>> hours = np.arange(24 * 30) * HOUR
    >>> [(cycle.name, cycle.size) for cycle in calendar_cycles(hours, np.array([0, 720]), HOUR)]
    [('hour of day', 24), ('weekday', 7), ('hour of week', 168)]
    """
    if step <= 0:
        return []
    span = _covered(times, offsets, step)
    cycles = [*_clock_cycles(times, step, span)]
    if step <= 1.5 * DAY and span >= FEWEST_TURNS * WEEK:
        weekday = (times // DAY + 3) % 7  # the first day of 1970 was a Thursday
        cycles.insert(-1 if step < DAY else len(cycles), _weekdays(weekday, step))
    days = times // DAY
    if span >= FEWEST_TURNS * MONTH and step <= 10 * DAY:
        cycles += _days_of_month(days, step)
    if span >= (FEWEST_TURNS - 0.1) * YEAR and step <= 100 * DAY:
        cycles.append(_parts_of_year(days, step))
    return cycles


def _covered(times: Integers, offsets: Integers, step: int) -> int:
    """How much time lies within any record, counted once."""
    some = np.diff(offsets) > 0
    starts, stops = times[offsets[:-1][some]], times[offsets[1:][some] - 1] + step
    order = np.argsort(starts)
    starts, latest = starts[order], np.maximum.accumulate(stops[order])
    fresh = np.maximum(starts, np.concatenate([starts[:1], latest[:-1]]))
    return int(np.maximum(latest - fresh, 0).sum())


def _clock_cycles(times: Integers, step: int, span: int) -> list[Cycle]:
    """Cycles of equal length, in phases of a round number of minutes no longer than a step."""
    width = max((one for one in WIDTHS if one <= step * 1.01), default=0)
    kinds = (
        ("second of minute", "60 seconds", MINUTE, "{s:02d} s"),
        ("minute of hour", "60 minutes", HOUR, "{m:02d}:{s:02d}"),
        ("hour of day", "24 hours", DAY, "{h:02d}:{m:02d}"),
        ("hour of week", "7 days", WEEK, "{day} {h:02d}:{m:02d}"),
    )
    cycles = []
    for name, period, length, form in kinds:
        bins = length // width if width and step < length / 1.5 and step < DAY / 1.5 else 0
        if bins < 2 or span < FEWEST_TURNS * length:
            continue
        size = min(bins, MOST_PHASES)
        shift = 3 * DAY if length == WEEK else 0
        phase = (times + shift) % length // (length // size)
        labels = _moments(form, length // size, size)
        cycles.append(Cycle(name, period, phase, size, length / step, labels, timed=True))
    return cycles


@cache
def _moments(form: str, width: int, size: int) -> tuple[str, ...]:
    """The moments at which phases of equal width begin."""
    labels = []
    for second in np.arange(size) * width // SECOND:
        hours, rest = divmod(int(second) % 86_400, 3600)
        day = WEEKDAYS[int(second) // 86_400 % 7]
        labels.append(form.format(day=day, h=hours, m=rest // 60, s=rest % 60))
    return tuple(labels)


def _weekdays(weekday: Integers, step: int) -> Cycle:
    return Cycle("weekday", "7 days", weekday, 7, WEEK / step, WEEKDAYS)


def _days_of_month(days: Integers, step: int) -> list[Cycle]:
    """Days counted from the first of the month, and back from its last."""
    months = days.astype("M8[D]").astype("M8[M]")
    first = days - months.astype("M8[D]").astype(np.int64)
    last = (months + 1).astype("M8[D]").astype(np.int64) - 1 - days
    forward = tuple(f"the {one}." for one in range(1, 32))
    back = ("the last day", *(f"{one} before the last day" for one in range(1, 31)))
    steps = MONTH / step
    return [
        Cycle("day of month", "1 month", first, 31, steps, forward),
        Cycle("day before the end of month", "1 month", last, 31, steps, back),
    ]


def _parts_of_year(days: Integers, step: int) -> Cycle:
    """Months, weeks or days of the year: the finest that each year's rows can fill."""
    months = days.astype("M8[D]").astype("M8[M]")
    month = months.astype(np.int64) % 12
    steps = YEAR / step
    if step >= 27 * DAY:
        return Cycle("month of year", "1 year", month, 12, steps, MONTHS)
    if step >= 6 * DAY:
        years = months.astype("M8[Y]").astype("M8[D]").astype(np.int64)
        week = np.minimum((days - years) // 7, 51)
        labels = tuple(f"week {one}" for one in range(1, 53))
        return Cycle("week of year", "1 year", week, 52, steps, labels)
    day = days - months.astype("M8[D]").astype(np.int64)
    starts = [0, *np.cumsum([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]).tolist()]
    labels = tuple(
        f"{one + 1} {name}"
        for name, (low, high) in zip(MONTHS, pairwise(starts), strict=True)
        for one in range(high - low)
    )
    phase = np.asarray(starts[:-1])[month] + day
    return Cycle("day of year", "1 year", phase, 366, steps, labels)
