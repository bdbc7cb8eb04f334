"""Which step of one stream meets which of another, record by record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recurra.data.sequences import Stream
from recurra.types import Array, Integers

__all__ = ["Union", "latest_rows", "rows_until", "union_rows"]


class Union(NamedTuple):
    """The steps of several streams together.

    Parameters
    ----------
    places : list of ndarray of int64, shape (rows of that stream,)
        Where the rows of each stream went; no two rows of one stream to the same place.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    times : ndarray, shape (rows,)
        When.
    """

    places: list[Integers]
    offsets: Integers
    times: Array


def latest_rows(ours: Stream, theirs: Stream, tolerance: float | None = None) -> Integers:
    """Find, for each of our steps, their latest step of the same record that is not later.

    Parameters
    ----------
    ours, theirs : Stream
        Of the same records, in the order of time.
    tolerance : float, optional
        How much earlier it may be, as the times are written: nanoseconds for a calendar.

    Returns
    -------
    ndarray of int64, shape (our steps,)
        Their rows, the last one of equal times; -1 where there is none.

    Examples
    --------
    >>> from dataclasses import replace
    >>> ours = Stream(np.zeros((2, 1)), np.array([0, 2]), ("x",), times=np.array([1, 5]),
    ...               clock="number")
    >>> latest_rows(ours, replace(ours, times=np.array([2, 5])))
    array([-1,  1])
    """
    found = rows_until(ours, theirs) - 1
    there = found >= theirs.offsets[ours.owners]
    if tolerance is not None and theirs.rows:
        age = ours.clock_times - theirs.clock_times[found]
        there &= age <= tolerance
    return np.where(there, found, -1)


def rows_until(ours: Stream, theirs: Stream) -> Integers:
    """Find, for each of our steps, their first step of the same record that is later.

    Parameters
    ----------
    ours, theirs : Stream
        Of the same records, in the order of time.

    Returns
    -------
    ndarray of int64, shape (our steps,)
        Their rows; the row after their record's last where none is later.
    """
    our_keys, their_keys = _keys([ours, theirs])
    found: Integers = np.searchsorted(their_keys, our_keys, side="right")
    return found


def union_rows(streams: Sequence[Stream]) -> Union:
    """Put the steps of several streams in one order of time.

    Parameters
    ----------
    streams : sequence of Stream
        Of the same records, in the order of time.

    Returns
    -------
    Union
        Steps of equal time are one, unless they are of one stream: the second of them then meets
        the second of the others.

    Examples
    --------
    >>> from dataclasses import replace
    >>> one = Stream(np.zeros((2, 1)), np.array([0, 2]), ("x",), times=np.array([1, 5]),
    ...              clock="number")
    >>> both = union_rows([one, replace(one, times=np.array([5, 5]))])
    >>> both.times, both.places
    (array([1, 5, 5]), [array([0, 1]), array([1, 2])])
    """
    keys = _keys(streams)
    turns = [_turns(each) for each in keys]
    whole = np.concatenate(keys)
    most = 1 + max((int(each.max()) for each in turns if each.size), default=0)
    _, moments = np.unique(whole, return_inverse=True)
    _, first, places = np.unique(
        moments * most + np.concatenate(turns), return_index=True, return_inverse=True
    )
    times = np.concatenate([each.clock_times for each in streams])[first]
    owners = np.concatenate([each.owners for each in streams])[first]
    offsets = np.searchsorted(owners, np.arange(len(streams[0]) + 1)).astype(np.int64)
    borders = np.cumsum([each.rows for each in streams])[:-1]
    return Union(np.split(places.astype(np.int64), borders), offsets, times)


def _keys(streams: Sequence[Stream]) -> list[Integers]:
    """Number the moments of all streams so that records, and times in them, are in order."""
    times = np.concatenate([each.clock_times for each in streams])
    known, ranks = np.unique(times, return_inverse=True)
    keys = np.concatenate([each.owners for each in streams]) * max(len(known), 1) + ranks
    return np.split(keys.astype(np.int64), np.cumsum([each.rows for each in streams])[:-1])


def _turns(keys: Integers) -> Integers:
    """Count, for each row, the rows just before it with the same key."""
    rows = np.arange(len(keys))
    new = np.ones(len(keys), np.bool_)
    new[1:] = keys[1:] != keys[:-1]
    return rows - np.maximum.accumulate(np.where(new, rows, 0)) if len(keys) else rows
