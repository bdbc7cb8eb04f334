"""Numbers as people say them, and columns as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import combining, east_asian_width

__all__ = [
    "ago",
    "duration",
    "in_columns",
    "names",
    "number",
    "percent",
    "plural",
    "quoted",
    "width",
]

UNITS = (
    (365.25 * 86_400e9, "year"),
    (86_400e9, "day"),
    (3600e9, "hour"),
    (60e9, "minute"),
    (1e9, "second"),
)


def percent(share: float) -> str:
    """Write a share as a percentage, never as 0 or 100 where it is neither.

    Parameters
    ----------
    share : float
        0 to 1.

    Returns
    -------
    str
        With a decimal where it matters.

    Examples
    --------
    >>> percent(0.284), percent(0.004), percent(0.00001), percent(0.9999)
    ('28 %', '0.4 %', 'under 0.1 %', 'over 99.9 %')
    """
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return (
        f"{100 * share:.1f} %"
        if 0 < share < 0.02 or 0.98 < share < 1
        else f"{share:.0%}"[:-1] + " %"
    )


def plural(count: int, noun: str) -> str:
    """Count a noun.

    Parameters
    ----------
    count : int
        How many.
    noun : str
        Singular; the plural takes an s.

    Returns
    -------
    str
        As in ``"1 step"``.

    Examples
    --------
    >>> plural(1, "step"), plural(1200, "step")
    ('1 step', '1,200 steps')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(steps: float, step: int) -> str:
    """Say how long some steps are.

    Parameters
    ----------
    steps : float
        How many.
    step : int
        Nanoseconds of one, 0 where steps are no time.

    Returns
    -------
    str
        Steps, and the time they take.

    Examples
    --------
    >>> duration(13, 3_600_000_000_000), duration(17.26, 0)
    ('13 steps (13 hours)', '17.3 steps')
    """
    text = f"{steps:.0f} steps" if float(steps).is_integer() else f"{steps:.1f} steps"
    size, unit = next((one for one in UNITS if steps * step >= 1.5 * one[0]), (1.0, ""))
    return f"{text} ({steps * step / size:.3g} {unit}s)" if unit else text


def ago(seconds: float) -> str:
    """Say how long a stretch of time is, in the unit that suits it.

    Parameters
    ----------
    seconds : float
        Its length.

    Returns
    -------
    str
        As in ``"1 hour"`` or ``"2.5 days"``.

    Examples
    --------
    >>> ago(3600), ago(900), ago(216000), ago(0.015)
    ('1 hour', '15 minutes', '2.5 days', '0.015 seconds')
    """
    size, unit = next((one for one in UNITS if seconds * 1e9 >= one[0]), (1e9, "second"))
    count = number(seconds * 1e9 / size)
    return f"{count} {unit}" if count == "1" else f"{count} {unit}s"


def number(value: float) -> str:
    """Write a number with three digits that count, and thousands apart.

    Parameters
    ----------
    value : float
        Any.

    Returns
    -------
    str
        As short as it can be.

    Examples
    --------
    >>> number(3.14159), number(12345.6), number(2.0), number(0.00001234), number(1.5e12)
    ('3.14', '12,346', '2', '1.23e-05', '1.5e+12')
    """
    size = abs(value)
    if size >= 1e9 or 0 < size < 1e-3:
        return f"{value:.3g}"
    return f"{value:,.0f}" if size >= 1000 else f"{value:.3g}"


def quoted(name: object) -> str:
    """Quote what a channel, a record or a label is called.

    Parameters
    ----------
    name : object
        A name; NumPy's scalars are written as Python's.

    Returns
    -------
    str
        At most 40 signs of it.

    Examples
    --------
    >>> quoted("pulse"), quoted(7)
    ("'pulse'", '7')
    """
    text = repr(name.item() if hasattr(name, "item") else name)
    return text if len(text) <= 40 else f"{text[:38]}…{text[0]}"


def names(every: Iterable[object], most: int = 5) -> str:
    """List names as a sentence does.

    Parameters
    ----------
    every : iterable
        The names.
    most : int
        How many are written; the others are counted.

    Returns
    -------
    str
        As in ``"'a', 'b' and 3 more"``.

    Examples
    --------
    >>> names("abc"), names("abcde", 2), names(["x"])
    ("'a', 'b' and 'c'", "'a', 'b' and 3 more", "'x'")
    """
    shown = [quoted(name) for name in every]
    if len(shown) > most + 1:
        shown = [*shown[:most], f"{len(shown) - most:,} more"]
    *first, last = shown
    return f"{', '.join(first)} and {last}" if first else last


def width(text: str) -> int:
    """Say how many columns a text takes where letters are equally wide.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    int
        Two for a Chinese character, one for a letter, none for an accent.

    Examples
    --------
    >>> width("ok"), width("好")
    (2, 2)
    """
    return sum(0 if combining(sign) else 1 + (east_asian_width(sign) in "WF") for sign in text)


def in_columns(columns: Sequence[Sequence[str]], texts: int) -> list[str]:
    """Write columns beside each other.

    Parameters
    ----------
    columns : sequence of sequence of str
        Each with its head and its cells; all of the same length.
    texts : int
        How many of the first are texts, which begin below each other; numbers end so.

    Returns
    -------
    list of str
        The lines.

    Examples
    --------
    >>> in_columns([["id", "a", "好"], ["age", "7", "70"]], 1)
    ['id  age', 'a     7', '好   70']
    """
    wide = [max(map(width, column)) for column in columns]
    lines = []
    for row in zip(*columns, strict=True):
        parts = []
        for place, (cell, size) in enumerate(zip(row, wide, strict=True)):
            space = " " * (size - width(cell))
            parts.append(cell + space if place < texts else space + cell)
        lines.append("  ".join(parts).rstrip())
    return lines
