"""When the steps of records were, as it was read."""

from __future__ import annotations

from typing import NamedTuple

from recurra.types import Array

__all__ = ["Moments"]


class Moments(NamedTuple):
    """When each row was.

    Parameters
    ----------
    times : ndarray of int64 or float64, shape (rows,), or None
        Nanoseconds since 1970 in UTC, or the user's numbers; None for a clock of steps.
    clock : {"step", "number", "calendar"}
        What they are.
    zone : str or None
        The time zone of a calendar.
    notes : tuple of str
        What reading changed.
    """

    times: Array | None
    clock: str
    zone: str | None = None
    notes: tuple[str, ...] = ()
