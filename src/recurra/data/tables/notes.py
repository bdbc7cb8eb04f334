"""Treatments are said once, with a count, and kept."""

from __future__ import annotations

import warnings

from recurra.errors import DataWarning

__all__ = ["tell"]


def tell(text: str) -> str:
    """Warn of a treatment the data got.

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
    warnings.warn(text, DataWarning, stacklevel=4)
    return text
