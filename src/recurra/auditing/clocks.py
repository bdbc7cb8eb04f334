"""Clocks: the step they keep, how far off they are, gaps, repeated and unsorted stamps, zones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from recurra.auditing.case import Case, View
from recurra.auditing.finding import Finding
from recurra.auditing.phrases import ago, names, number, percent, plural
from recurra.auditing.together import repeated_stamps
from recurra.data.offsets import place_of
from recurra.data.panel.clock import Clock
from recurra.types import Integers

__all__ = ["Ticks", "find_clocks"]

MOST_GROWTH = 2.0
"""A clock keeps a step if the steps it should have are at most this many times those it has."""
NEARLY, MOSTLY = 0.1, 0.9
"""Jitter: this share of the steps is within this share of the usual one."""
LONG_GAP = 1000
LISTED = 0.3
DAY = 86_400.0
UNITS = {"h": "hour", "min": "minute", "s": "second", "ms": "millisecond", "D": "day"}
SPELLED = {"MS": "month", "ME": "month", "QS": "quarter", "YS": "year", "B": "business day"}


@dataclass(frozen=True, eq=False)
class Ticks:
    """The clock of one stream.

    Parameters
    ----------
    view : View
        The stream.
    """

    view: View

    @property
    def told(self) -> bool:
        """Whether there are times at all."""
        return self.view.stream.times is not None

    @cached_property
    def _apart(self) -> tuple[Integers, Integers]:
        """Times that differ from the one before, and where records start among them."""
        stream, keep = self.view.stream, np.ones(self.view.stream.rows, bool)
        times = stream.clock_times
        keep[1:] = (times[1:] != times[:-1]) | ~self.view.inner[1:]
        offsets = np.concatenate([[0], np.cumsum(keep)])[stream.offsets]
        return times[keep], offsets.astype(np.int64)

    @cached_property
    def step(self) -> str | float | None:
        """The step the clock keeps, where few of its stamps are missing; None without one."""
        return self._kept[0]

    @cached_property
    def missing(self) -> int:
        """How many stamps of that step are missing."""
        return self._kept[1]

    @cached_property
    def _kept(self) -> tuple[str | float | None, int]:
        times, offsets = self._apart
        scale = 1.0
        if times.dtype.kind == "f":
            gaps = self.view.gaps[self.view.gaps > 0]
            scale = float(np.median(gaps)) if len(gaps) else 1.0
            places = times / scale
            if len(places) and np.abs(places - np.rint(places)).max() > 1e-6:
                starts = np.repeat(times[offsets[:-1].clip(max=len(times) - 1)], np.diff(offsets))
                places = (times - starts) / scale
            if len(places) == 0 or np.abs(places - np.rint(places)).max() > 1e-6:
                return None, 0
            times = np.rint(places).astype(np.int64)
        if not len(times) or (np.diff(offsets) < 2).all():
            return None, 0
        kind = "timestamp" if self.view.stream.clock == "calendar" else "integer"
        clock = Clock.infer(times, offsets, kind=kind, zone=self.view.stream.zone)
        if clock.step is None:
            return None, 0
        since = clock.steps_since_previous(times, offsets)
        missing = int(np.maximum(since - 1, 0).sum())
        if missing + len(times) > MOST_GROWTH * len(times):
            return None, 0
        step = clock.step if isinstance(clock.step, str) else clock.step * scale
        return step, missing

    @property
    def words(self) -> str:
        """The clock in a few words."""
        if not self.told:
            rate = self.view.stream.rate
            return "steps without times" if rate is None else f"{number(rate)} steps a second"
        gaps = self.view.gaps
        gaps = gaps[gaps > 0]
        if not len(gaps):
            return "one time a record"
        if self.step is not None:
            return f"a step every {spell(self.step)}"
        kind = "jitter around" if self.jitters else "irregular, half under"
        return f"{kind} {self.stretch(float(np.median(gaps)))}"

    @cached_property
    def jitters(self) -> bool:
        """Whether nearly all steps are nearly as long as the usual one."""
        gaps = self.view.gaps
        middle = float(np.median(gaps)) if len(gaps) else 0.0
        return bool(middle > 0 and (np.abs(gaps / middle - 1) <= NEARLY).mean() >= MOSTLY)

    def stretch(self, length: float) -> str:
        """Say how long a stretch of time is.

        Parameters
        ----------
        length : float
            Seconds on a calendar, else the clock's units.

        Returns
        -------
        str
            With its unit, where it has one.
        """
        return ago(length) if self.view.stream.clock == "calendar" else number(length)


def spell(step: str | float) -> str:
    """Say how long a step of a clock is.

    Parameters
    ----------
    step : str or float
        An offset alias of pandas, or a number.

    Returns
    -------
    str
        As people say it.

    Examples
    --------
    >>> spell("h"), spell("15min"), spell("MS"), spell("W-SUN"), spell(60)
    ('hour', '15 minutes', 'month', 'week', '60')
    """
    if not isinstance(step, str):
        return number(step)
    digits = step[: len(step) - len(step.lstrip("0123456789"))]
    alias = step.removeprefix(digits).split("-")[0]
    unit = UNITS.get(alias) or SPELLED.get(alias) or {"W": "week"}.get(alias)
    if unit is None:
        return f"step of {step!r}"
    return f"{digits} {unit}s" if digits not in ("", "1") else unit


def find_clocks(case: Case) -> list[Finding]:
    """Look at the times of each stream.

    Parameters
    ----------
    case : Case
        The data.

    Returns
    -------
    list of Finding
        What is wrong with them, and how regular they are.
    """
    found: list[Finding] = []
    for view in case.streams.values():
        if view.unknown_times:
            said = f"{plural(view.unknown_times, 'time')} of stream {view.name!r} "
            said += f"{'is' if view.unknown_times == 1 else 'are'} NaN or infinite: correct them, "
            said += "or leave those steps out."
            numbers = {"steps": view.unknown_times}
            found.append(Finding("unknown_times", "warning", said, view.name, numbers=numbers))
        ticks = Ticks(view)
        if ticks.told:
            found += [*_order(view), *_regularity(case, ticks), *_zone(ticks)]
    return [*found, *_apart(case)]


def _apart(case: Case) -> list[Finding]:
    """Tell of streams that never run at the same time."""
    timed = [v for v in case.streams.values() if v.stream.times is not None and v.stream.rows]
    found = []
    for one, other in combinations(timed, 2):
        if one.stream.clock != other.stream.clock:
            continue
        both = np.flatnonzero((one.stream.lengths > 0) & (other.stream.lengths > 0))
        first, last = (
            np.stack([view.stream.clock_times[edge(view.places)[both]] for view in (one, other)])
            for edge in (lambda places: places[:-1], lambda places: places[1:] - 1)
        )
        if (first.max(0) <= last.min(0)).any():
            continue
        said = (
            f"Streams {one.name!r} and {other.name!r} are at the same time in no record: compare "
        )
        said += "their units, zones and where they start."
        found.append(Finding("no_overlap", "warning", said, one.name))
    return found


def _order(view: View) -> list[Finding]:
    """Unsorted and repeated stamps."""
    found, rows = [], view.stream.rows
    if view.back:
        verb = "is" if view.back == 1 else "are"
        said = f"{view.back:,} of {plural(rows, 'step')} {verb} earlier than the one before."
        numbers = {"steps": view.back, "of": rows}
        found.append(Finding("unsorted_times", "warning", said, view.name, numbers=numbers))
    share = repeated_stamps(view.stream.clock_times, view.places)
    if share > LISTED and any(view.is_coded(k) for k in range(len(view.stream.channels))):
        said = (
            f"{percent(share)} of the steps have the time of another step of the same record: is "
        )
        said += "each a measurement of something else? Then read the table as events, with "
        said += "from_events."
        listed = {"share": share, "of": rows}
        found.append(Finding("listed_events", "warning", said, view.name, numbers=listed))
    elif share:
        count = round(share * rows)
        said = f"{count:,} of {plural(rows, 'step')} ({percent(share)}) "
        said += f"{'has' if count == 1 else 'have'} the time of another step of the same record."
        counted: dict[str, Any] = {"steps": count, "of": rows, "share": share}
        found.append(Finding("repeated_stamps", "warning", said, view.name, numbers=counted))
    return found


def _regularity(case: Case, ticks: Ticks) -> list[Finding]:
    """How regular a clock is, and its largest gap."""
    view, gaps = ticks.view, ticks.view.gaps
    apart = gaps[gaps > 0]
    if not len(apart):
        return []
    middle, largest = float(np.median(apart)), float(apart.max())
    longest = f"the longest gap {ticks.stretch(largest)}"
    numbers: dict[str, Any] = {"median": middle, "largest": largest, "smallest": float(apart.min())}
    if ticks.step is not None:
        if not ticks.missing:
            return []
        numbers |= {"step": ticks.step, "missing": ticks.missing}
        share = ticks.missing / (ticks.missing + len(apart) + len(view.stream))
        said = f"The clock steps by {spell(ticks.step)}, but {plural(ticks.missing, 'stamp')} "
        said += f"({percent(share)}) {'is' if ticks.missing == 1 else 'are'} missing, {longest}."
        numbers["share"] = share
        return [Finding("missing_stamps", "advice", said, view.name, numbers=numbers)]
    if ticks.jitters:
        off = float((np.abs(gaps / middle - 1) > 0.01).mean())
        said = f"The clock steps by about {ticks.stretch(middle)}; {percent(off)} of the steps are "
        said += f"more than 1 % off, {longest}."
        found = [Finding("jitter", "note", said, view.name, numbers={**numbers, "off": off})]
    else:
        said = f"Times are irregular: steps last {ticks.stretch(numbers['smallest'])} to "
        said += f"{ticks.stretch(largest)}, half of them under {ticks.stretch(middle)}."
        found = [Finding("irregular_clock", "note", said, view.name, numbers=numbers)]
    if largest >= LONG_GAP * middle:
        found.append(_long_gap(case, ticks, largest, middle))
    return found


def _long_gap(case: Case, ticks: Ticks, largest: float, middle: float) -> Finding:
    """Say where the largest gap is."""
    view = ticks.view
    row = int(np.flatnonzero(view.inner)[int(view.gaps.argmax())])
    record, step = place_of(view.places, row)
    whose = names([case.dataset.ids[record]])
    said = f"The largest gap, {ticks.stretch(largest)} in record {whose}, is "
    said += f"{largest / middle:,.0f} times the usual step: give a network gaps on a log scale, or "
    said += "part records there."
    numbers = {"largest": largest, "median": middle, "row": step}
    return Finding("long_gap", "advice", said, view.name, numbers=numbers)


def _zone(ticks: Ticks) -> list[Finding]:
    """Say that hours are those of UTC, where that may be wrong."""
    stream, gaps = ticks.view.stream, ticks.view.gaps
    if stream.clock != "calendar" or stream.zone is not None or not len(gaps):
        return []
    if float(np.median(gaps)) >= DAY or float(gaps.sum()) < DAY:
        return []
    said = "The times have no time zone: hours and weekdays are taken as they stand."
    return [Finding("no_zone", "note", said, ticks.view.name)]
