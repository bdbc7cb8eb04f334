"""Options that are numbers, refused where they are none."""

from __future__ import annotations

import math
from numbers import Integral, Real

from recurra.errors import OptionError

__all__ = ["check_count", "check_number"]


def check_count(name: str, value: object, least: int) -> None:
    """Refuse what is no whole number, or too small.

    Parameters
    ----------
    name : str
        The option.
    value : object
        What was given.
    least : int
        The smallest there is.

    Examples
    --------
    >>> check_count("rows", 0.5, 1)
    Traceback (most recent call last):
    recurra.errors.OptionError: rows=0.5, but it is a whole number from 1 on.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise OptionError(f"{name}={value!r}, but it is a whole number from {least} on.")


def check_number(name: str, value: object, *, positive: bool = False) -> None:
    """Refuse what is no finite number.

    Parameters
    ----------
    name : str
        The option.
    value : object
        What was given.
    positive : bool
        Whether it must be above 0.

    Examples
    --------
    >>> check_number("cap", -1, positive=True)
    Traceback (most recent call last):
    recurra.errors.OptionError: cap=-1, but it is a finite number above 0.
    """
    number = float(value) if isinstance(value, Real) and value is not True else math.nan
    if not math.isfinite(number) or (positive and not number > 0):
        raise OptionError(f"{name}={value!r}, but it is a finite number{' above 0' * positive}.")
