"""Series with values missing after a known pattern, to test who claims to recognise it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.calendar import calendar_cycles, stretches, usual_step
from recurra.data.offsets import offsets_of
from recurra.errors import OptionError

if TYPE_CHECKING:
    from recurra.auditing.calendar import Cycle
    from recurra.auditing.missingness import Pattern
    from recurra.types import Booleans, Floats, Integers

__all__ = ["CLOCKS", "PLANTS", "Clock", "Plant", "draw_clock", "plant"]

PLANTS: tuple[Pattern, ...] = (
    "random",
    "sparse",
    "contiguous",
    "scattered",
    "recurring",
    "periodic",
    "seasonal",
    "yearly",
)
CLOCKS = ("ten minutes", "hourly", "irregular", "daily", "monthly", "steps")
"""Clocks to draw; the irregular one is hourly, and lacks one stamp in ten."""
SPARSE = 0.75
HOUR, DAY = 3_600_000_000_000, 86_400_000_000_000


@dataclass(frozen=True, eq=False)
class Clock:
    """The stamps of one to three records.

    Parameters
    ----------
    kind : str
        One of `CLOCKS`.
    times : ndarray of int64, shape (rows,)
        Nanoseconds since 1970, or plain numbers.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    """

    kind: str
    times: Integers
    offsets: Integers

    @property
    def unit(self) -> str:
        """``"ns"`` if the times belong to the calendar, else ``"step"``."""
        return "step" if self.kind == "steps" else "ns"


@dataclass(frozen=True, eq=False)
class Plant:
    """A mask with a known pattern.

    Parameters
    ----------
    observed : ndarray of bool, shape (rows,)
        Whether each row keeps its value.
    pattern : str
        The right answer.
    period : float, optional
        The right period, in steps, if the pattern has one.
    """

    observed: Booleans
    pattern: Pattern
    period: float | None = None

    @property
    def share(self) -> float:
        """The missing share as it came out."""
        return float(1 - self.observed.mean())


def draw_clock(kind: str, rng: np.random.Generator, *, least: int = 300, most: int = 5000) -> Clock:
    """Draw the stamps of one to three records of the same clock.

    Parameters
    ----------
    kind : str
        One of `CLOCKS`.
    rng : numpy.random.Generator
        The source of chance.
    least, most : int
        Rows of a record; months are at most 900.

    Returns
    -------
    Clock
        Records start at different times.

    Examples
    --------
    >>> clock = draw_clock("daily", np.random.default_rng(0))
    >>> len(clock.times) == int(clock.offsets[-1])
    True
    """
    if kind not in CLOCKS:
        raise OptionError(f"There is no clock {kind!r}. There are: {', '.join(CLOCKS)}.")
    parts = []
    top = min(most, 900) if kind == "monthly" else most
    for _ in range(int(rng.integers(1, 4))):
        rows = int(np.exp(rng.uniform(np.log(least), np.log(top + 1))))
        parts.append(_stamps(kind, rows, rng))
    offsets = offsets_of([len(part) for part in parts])
    return Clock(kind, np.concatenate(parts), offsets.astype(np.int64))


def plant(
    pattern: Pattern, share: float, clock: Clock, rng: np.random.Generator, *, noise: float = 0.0
) -> Plant | None:
    """Take values away after a pattern.

    The share is met as nearly as the pattern allows: a weekday is a seventh, whatever was asked.
    Values lost one by one are sparse by definition where more than three quarters are missing, and
    random below.

    Parameters
    ----------
    pattern : str
        One of `PLANTS`.
    share : float
        What should be missing, between 0 and 1.
    clock : Clock
        The stamps.
    rng : numpy.random.Generator
        The source of chance.
    noise : float, default 0
        The share of rows, anywhere, that are lost or found against the pattern.

    Returns
    -------
    Plant or None
        None where the clock cannot show the pattern: no year in two months of hours.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> clock = draw_clock("steps", rng)
    >>> planted = plant("periodic", 0.2, clock, rng)
    >>> planted.pattern, planted.observed.shape == clock.times.shape
    ('periodic', True)
    """
    planted = _planters()[pattern](share, clock, rng)
    if planted is None or not noise:
        return planted
    flipped = rng.random(len(planted.observed)) < noise
    return Plant(planted.observed ^ flipped, planted.pattern, planted.period)


# --------------------------------------------------------------------- the clocks


def _stamps(kind: str, rows: int, rng: np.random.Generator) -> Integers:
    """Stamps of one record."""
    if kind == "steps":
        return np.arange(rows) + int(rng.integers(0, 1000))
    if kind == "monthly":
        first = int(rng.integers(0, 60))
        months = np.arange(first, first + rows).astype("M8[M]")
        return months.astype("M8[D]").astype(np.int64) * DAY
    step = {"ten minutes": HOUR // 6, "daily": DAY}.get(kind, HOUR)
    start = int(rng.integers(365 * 30, 365 * 50)) * DAY
    if kind != "daily":
        start += int(rng.integers(0, 24)) * HOUR
    times = start + step * np.arange(rows * 10 // 9 if kind == "irregular" else rows)
    kept = rng.random(len(times)) >= 0.1 if kind == "irregular" else np.ones(len(times), bool)
    return times[kept]


# -------------------------------------------------------------------- the patterns


def _planters() -> dict[str, Any]:
    return {
        "random": _alone,
        "sparse": _alone,
        "contiguous": _contiguous,
        "scattered": _scattered,
        "recurring": _recurring,
        "periodic": _periodic,
        "seasonal": _seasonal,
        "yearly": _yearly,
    }


def _alone(share: float, clock: Clock, rng: np.random.Generator) -> Plant:
    """Each value by its own coin: the answer for "random" and for "sparse" is a matter of share."""
    observed = rng.random(len(clock.times)) >= share
    return Plant(observed, "sparse" if 1 - observed.mean() > SPARSE else "random")


def _contiguous(share: float, clock: Clock, rng: np.random.Generator) -> Plant:
    """One to three gaps in each record."""
    parts = [
        _gaps(round(share * rows), int(rows), int(rng.integers(1, 4)), rng)
        for rows in np.diff(clock.offsets)
    ]
    return Plant(np.concatenate(parts), "contiguous")


def _scattered(share: float, clock: Clock, rng: np.random.Generator) -> Plant:
    """Eight gaps or more in each record, 2.5 to 6 times as long as chance would have them."""
    parts = []
    for rows in np.diff(clock.offsets):
        lost = round(share * rows)
        count = max(8, round(lost * (1 - share) / rng.uniform(2.5, 6)))
        parts.append(_gaps(lost, int(rows), count, rng))
    return Plant(np.concatenate(parts), "scattered")


def _gaps(lost: int, rows: int, count: int, rng: np.random.Generator) -> Booleans:
    """Lose some rows in so many gaps, their lengths and distances left to chance."""
    count = min(count, lost, rows - lost - 1)
    lengths = _compose(lost, count, rng)
    pauses = _compose(rows - lost, count + 1, rng)
    runs = np.empty(2 * count + 1, np.int64)
    runs[::2], runs[1::2] = pauses, lengths
    return np.repeat(np.arange(2 * count + 1) % 2 == 0, runs)


def _compose(total: int, count: int, rng: np.random.Generator) -> Integers:
    """Write a number as a sum of so many, each at least 1, every way as likely."""
    cuts = np.sort(rng.choice(total - 1, count - 1, replace=False)) + 1
    return np.diff(np.concatenate([[0], cuts, [total]]))


def _recurring(share: float, clock: Clock, rng: np.random.Generator) -> Plant:
    """Gaps that come back about every 16 steps or more, ten times or more in each record.

    They jitter about a grid, walk away from it, or come ever faster or slower.
    """
    fewest = int(np.diff(clock.offsets).min())
    period = int(rng.integers(16, max(17, min(200, fewest // 10) + 1)))
    period += period in _calendar_periods(clock)
    kind = ("jitter", "walk", "drift")[int(rng.integers(3))]
    minor = min(share, 1 - share)
    parts, intervals = [], []
    for rows in np.diff(clock.offsets):
        starts, lengths = _cycles_of(kind, int(rows // period), period, rng)
        widths = np.maximum(np.rint(minor * lengths), 1)
        rows_at = np.arange(rows)
        which = np.searchsorted(starts, rows_at, side="right") - 1
        inside = (which >= 0) & (rows_at < starts[which] + widths[which])
        parts.append(inside if share > 0.5 else ~inside)
        intervals.append(np.diff(starts[(starts > 0) & (starts < rows)]))
    return Plant(np.concatenate(parts), "recurring", float(np.concatenate(intervals).mean()))


def _cycles_of(
    kind: str, count: int, period: int, rng: np.random.Generator
) -> tuple[Integers, Floats]:
    """Draw where inexact cycles start, and how long each counts as."""
    lengths = np.full(count, float(period))
    if kind == "jitter":
        reach = rng.uniform(0.12, 0.25) * period
        starts = np.arange(count) * period + rng.uniform(-reach, reach, count)
    elif kind == "walk":
        steps = period * rng.uniform(0.75, 1.25, count)
        starts = np.cumsum(steps) - steps
    else:
        reach = rng.uniform(0.15, 0.3) * rng.choice([-1, 1])
        lengths = period * np.linspace(1 - reach, 1 + reach, count)
        starts = np.cumsum(lengths) - lengths
    return np.rint(starts + rng.uniform(0, 0.3) * period).astype(np.int64), lengths


def _calendar_periods(clock: Clock) -> tuple[int, ...]:
    """The periods in steps that belong to the calendar."""
    known = {"ten minutes": (6, 144, 1008), "daily": (7,), "monthly": (12,), "steps": ()}
    return known.get(clock.kind, (24, 168))


def _periodic(share: float, clock: Clock, rng: np.random.Generator) -> Plant:
    """The same steps of each period, eight times or more; each record at a phase of its own.

    The period is none of the calendar's.
    """
    least = max(2, int(np.ceil(0.7 / min(share, 1 - share))))
    period = int(rng.integers(least, min(400, int(np.diff(clock.offsets).min()) // 8) + 1))
    period += period in _calendar_periods(clock)
    template = _template(share, period, several=rng.random() < 0.3, rng=rng)
    parts = [
        np.roll(np.resize(template, rows + period), int(rng.integers(period)))[:rows]
        for rows in np.diff(clock.offsets)
    ]
    return Plant(~np.concatenate(parts), "periodic", float(period))


def _template(share: float, size: int, *, several: bool, rng: np.random.Generator) -> Booleans:
    """Phases of a cycle to lose: one block, or any; the cycle has no shorter one inside."""
    count = int(np.clip(round(share * size), 1, size - 1))
    chosen = np.zeros(size, bool)
    chosen[:count] = True
    if not several:
        return np.roll(chosen, int(rng.integers(size)))
    for _ in range(20):
        chosen = rng.permutation(chosen)
        parts = [part for part in range(1, size) if size % part == 0]
        if not any((chosen == np.roll(chosen, part)).all() for part in parts):
            return chosen
    return np.roll(np.arange(size) < count, int(rng.integers(size)))


def _seasonal(share: float, clock: Clock, rng: np.random.Generator) -> Plant | None:
    """The same hours, weekdays, days of the month or months: a part of the year if in several."""
    cycles = [one for one in _cycles(clock) if one.name != "day of year" and _turns(one) >= 4]
    cycles = [one for one in cycles if one.name != "hour of week"]
    if not cycles:
        return None
    cycle = cycles[int(rng.integers(len(cycles)))]
    several = cycle.name == "month of year" or (cycle.name == "weekday" and rng.random() < 0.3)
    chosen = _template(share, cycle.size, several=several, rng=rng)
    while cycle.name == "month of year" and len(stretches(chosen)) < 2:
        few = float(np.clip(share, 0.17, 0.83))
        chosen = _template(few, cycle.size, several=True, rng=rng)
    return Plant(~chosen[cycle.phase], "seasonal", cycle.steps)


def _yearly(share: float, clock: Clock, rng: np.random.Generator) -> Plant | None:
    """One stretch of every year."""
    cycles = [one for one in _cycles(clock) if one.period == "1 year"]
    if not cycles:
        return None
    chosen = _template(share, cycles[0].size, several=False, rng=rng)
    return Plant(~chosen[cycles[0].phase], "yearly", cycles[0].steps)


def _cycles(clock: Clock) -> list[Cycle]:
    if clock.unit == "step":
        return []
    return calendar_cycles(clock.times, clock.offsets, usual_step(clock.times, clock.offsets))


def _turns(cycle: Cycle) -> float:
    """How often the rows go round the cycle."""
    return len(cycle.phase) / cycle.steps
