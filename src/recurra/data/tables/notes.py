"""Treatments are said once, with a count, and kept."""

from __future__ import annotations

import sys
import warnings

from recurra.errors import DataWarning

__all__ = ["also_in", "counted", "tell"]

PACKAGE = "recurra."


def tell(text: str) -> str:
    """Warn of a treatment the data got, at the line of the user's that called the library.

    Parameters
    ----------
    text : str
        What was done, to how many.

    Returns
    -------
    str
        The same text, to be kept among the notes.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as said:
    ...     kept = tell("2 rows were sorted by time.")
    >>> str(said[0].message) == kept
    True
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, DataWarning, stacklevel=level)
    return text


def counted(count: int, one: str, many: str) -> str:
    """Write a number with the words that go with it.

    Parameters
    ----------
    count : int
        The number.
    one, many : str
        The words after 1, and after any other number.

    Returns
    -------
    str
        Both.

    Examples
    --------
    >>> counted(1, "row was", "rows were"), counted(3, "row was", "rows were")
    ('1 row was', '3 rows were')
    """
    return f"{count} {one if count == 1 else many}"


def also_in(count: int) -> str:
    """Say in how many more places an error is, besides the one that is named.

    Parameters
    ----------
    count : int
        All places.

    Returns
    -------
    str
        Words to follow what is wrong; none if there is one place.

    Examples
    --------
    >>> "A time stamp is missing" + also_in(3)
    'A time stamp is missing, here and in 2 more'
    """
    return f", here and in {count - 1} more" if count > 1 else ""
