"""Counts and seeds as arguments: whole numbers, checked where they come in."""

from __future__ import annotations

from typing import Any

import numpy as np

from recurra.errors import OptionError

__all__ = ["whole_number"]


def whole_number(name: str, value: Any, *, least: int = 1) -> int:
    """Check a count or a seed.

    Parameters
    ----------
    name : str
        The argument.
    value : int
        What came.
    least : int, default 1
        The smallest that is allowed.

    Returns
    -------
    int
        The same.

    Raises
    ------
    OptionError
        If it is no integer, or too small.

    Examples
    --------
    >>> whole_number("batch_size", 2.5)
    Traceback (most recent call last):
    recurra.errors.OptionError: batch_size=2.5, but it is an integer of 1 or more.
    """
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not integer or value < least:
        raise OptionError(f"{name}={value!r}, but it is an integer of {least} or more.")
    return int(value)
