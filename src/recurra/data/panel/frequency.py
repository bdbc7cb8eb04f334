"""Find the step that most stamps keep.

``pandas.infer_freq`` gives up at one missing stamp. Here the commonest distance proposes a step,
and every other distance must be a whole number of such steps.
"""

from __future__ import annotations

import numpy as np

from recurra.data.panel.gaps import same_record
from recurra.data.panel.wall import DAY, HOUR, MINUTE, SECOND, to_wall
from recurra.types import Booleans, Integers

__all__ = ["infer_integer_step", "infer_step"]

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
UNITS = ((HOUR, "h"), (MINUTE, "min"), (SECOND, "s"), (10**6, "ms"), (10**3, "us"), (1, "ns"))


def infer_integer_step(times: Integers, offsets: Integers) -> int | None:
    """Find the step of integer stamps.

    Parameters
    ----------
    times : ndarray of int64, shape (rows,)
        The stamps, increasing within each record.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.

    Returns
    -------
    int or None
        The step (1 if no record has two stamps), or None if the stamps keep none.

    Examples
    --------
    >>> infer_integer_step(np.array([1, 2, 3, 7]), np.array([0, 4]))
    1
    """
    gaps = np.diff(times)[same_record(offsets)]
    step = _commonest(gaps) if gaps.size else 1
    return step if not (gaps % step).any() else None


def infer_step(times: Integers, offsets: Integers, zone: str | None = None) -> str | None:
    """Find the step of stamps in nanoseconds, as a pandas offset alias.

    Parameters
    ----------
    times : ndarray of int64, shape (rows,)
        The stamps in UTC, increasing within each record.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    zone : str, optional
        The time zone in which days and months are counted.

    Returns
    -------
    str or None
        Such as ``"15min"``, ``"h"``, ``"D"``, ``"B"``, ``"W-SUN"``, ``"ME"``, ``"QS-JAN"`` or
        ``"M-15"``; None if the stamps keep no step.

    Examples
    --------
    >>> stamps = np.array(["2024-01-31", "2024-02-29", "2024-05-31"], "M8[ns]").astype("int64")
    >>> infer_step(stamps, np.array([0, 3]))
    'ME'
    """
    inner = same_record(offsets)
    gaps = np.diff(times)[inner]
    if not gaps.size:
        return None
    step = _commonest(gaps)
    if step >= 23 * HOUR:
        wall = to_wall(times, zone)
        if not (np.diff(wall)[inner] % DAY).any():
            return _infer_days(wall // DAY, inner)
    return _spell(step) if not (gaps % step).any() else None


def _commonest(values: Integers) -> int:
    """Give the commonest value, the smallest of several."""
    if (values == values[0]).all():
        return int(values[0])
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()])


def _spell(size: int) -> str:
    """Write a fixed stretch as an alias."""
    length, name = next(unit for unit in UNITS if size % unit[0] == 0)
    return name if size == length else f"{size // length}{name}"


def _infer_days(days: Integers, inner: Booleans) -> str | None:
    """Find the step of whole days."""
    gaps = np.diff(days)[inner]
    step = _commonest(gaps)
    if step >= 28:
        months = _infer_months(days, inner)
        if months:
            return months
    if (gaps % step).any():
        return None
    weekdays = (days + 3) % 7
    if step == 1 and not (weekdays > 4).any() and (weekdays[:-1][inner] + gaps > 6).any():
        return "B"
    if step % 7 == 0 and (weekdays == weekdays[0]).all():
        return f"{step // 7 if step > 7 else ''}W-{WEEKDAYS[weekdays[0]]}"
    return "D" if step == 1 else f"{step}D"


def _infer_months(days: Integers, inner: Booleans) -> str | None:
    """Find the step of whole months, if every stamp has the same place in its month."""
    months = days.view("M8[D]").astype("M8[M]")
    place = _place_in_month(days, months)
    count = months.astype(np.int64)
    gaps = np.diff(count)[inner]
    step = _commonest(gaps)
    if place is None or (gaps % step).any():
        return None
    if isinstance(place, int):
        return f"{step if step > 1 else ''}M-{place}"
    if step == 3 and (count % 3 == count[0] % 3).all():
        first = count[0] % 3
        return place.replace("M", "Q") + "-" + MONTHS[first if place.endswith("S") else first + 9]
    if step == 12 and (count % 12 == count[0] % 12).all():
        return place.replace("M", "Y") + "-" + MONTHS[count[0] % 12]
    return f"{step if step > 1 else ''}{place}"


def _place_in_month(days: Integers, months: np.ndarray) -> str | int | None:
    """Name the place: first or last (business) day as an alias, else the day's number."""
    day = (days - months.astype("M8[D]").astype(np.int64)) + 1
    if (day == 1).all():
        return "MS"
    following = (months + 1).astype("M8[D]")
    if (days + 1 == following.astype(np.int64)).all():
        return "ME"
    dates = days.view("M8[D]")
    if (dates == np.busday_offset(following, -1, roll="forward")).all():
        return "BME"
    if (dates == np.busday_offset(months.astype("M8[D]"), 0, roll="forward")).all():
        return "BMS"
    return int(day[0]) if day[0] <= 28 and (day == day[0]).all() else None
