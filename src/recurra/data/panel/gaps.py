"""Where stamps are missing from a regular clock.

``since`` counts the steps from each row to the one before it in its record (1 for the first), so
a row with ``since = 4`` has three missing stamps before it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from recurra.types import Booleans, Integers

__all__ = ["MOST_GROWTH", "MOST_ROWS", "Filling", "plan_filling", "same_record", "too_sparse"]

MOST_GROWTH = 4
MOST_ROWS = 5_000_000


class Filling(NamedTuple):
    """How rows are to be repeated so that no stamp is missing.

    Parameters
    ----------
    source : ndarray of int64, shape (new rows,)
        The old row each new row follows from.
    ahead : ndarray of int64, shape (new rows,)
        How many steps the new row lies after its source; 0 for the source itself.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record now starts.
    """

    source: Integers
    ahead: Integers
    offsets: Integers


def same_record(offsets: Integers) -> Booleans:
    """Say for each two neighbouring rows whether they are of one record.

    Parameters
    ----------
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.

    Returns
    -------
    ndarray of bool, shape (rows - 1,)
        Ready to index ``np.diff(times)``.

    Examples
    --------
    >>> same_record(np.array([0, 2, 4]))
    array([ True, False,  True])
    """
    inside = np.ones(max(int(offsets[-1]) - 1, 0), np.bool_)
    borders = offsets[1:-1] - 1
    inside[borders[(borders >= 0) & (borders < len(inside))]] = False
    return inside


def too_sparse(since: Integers, offsets: Integers, most_growth: float = MOST_GROWTH) -> int | None:
    """Find a record that filling would blow up.

    Parameters
    ----------
    since : ndarray of int64, shape (rows,)
        Steps since the previous row.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    most_growth : float
        How many times its rows a record may grow to.

    Returns
    -------
    int or None
        The record that grows the most, if it grows past `most_growth` times its rows or the
        missing rows of all records are more than `MOST_ROWS`.

    Examples
    --------
    >>> too_sparse(np.array([1, 1, 9]), np.array([0, 3])) is None
    True
    >>> too_sparse(np.array([1, 1, 99]), np.array([0, 3]))
    0
    """
    lengths = np.diff(offsets)
    ends = np.concatenate([[0.0], np.cumsum(since, dtype=np.float64)])[offsets]
    growth = np.diff(ends) / np.maximum(lengths, 1)
    much = growth.size > 0 and (growth.max() > most_growth or ends[-1] - len(since) > MOST_ROWS)
    return int(growth.argmax()) if much else None


def plan_filling(since: Integers, offsets: Integers) -> Filling:
    """Say how rows are to be repeated so that no stamp is missing.

    Parameters
    ----------
    since : ndarray of int64, shape (rows,)
        Steps since the previous row.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.

    Returns
    -------
    Filling
        The plan.

    Examples
    --------
    >>> plan_filling(np.array([1, 1, 3]), np.array([0, 3])).ahead
    array([0, 0, 1, 2, 0])
    """
    repeats = np.ones(len(since), np.int64)
    repeats[:-1] = since[1:]
    starts = np.concatenate([[0], np.cumsum(repeats)])
    source = np.repeat(np.arange(len(since)), repeats)
    ahead = np.arange(len(source)) - starts[source]
    return Filling(source, ahead, starts[offsets])
