"""Numbers as people say them."""

from __future__ import annotations

__all__ = ["duration", "percent", "plural"]

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
