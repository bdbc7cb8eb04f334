"""Fill holes from the observations beside them, on flat records, all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.data.sequences import Stream
from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["GAP_METHODS", "GapFiller", "neighbours"]

GAP_METHODS = ("forward", "backward", "nearest", "linear", "time")


@dataclass(frozen=True)
class GapFiller:
    """Fills holes of a stream from the observations before and after them.

    Parameters
    ----------
    method : {"forward", "backward", "nearest", "linear", "time"}
        How; see `Fill`.
    stream : Stream
        The stream.
    columns : list of int
        Its channels that are treated.
    limit : int, optional
        The most steps filled in a row.
    """

    method: str
    stream: Stream
    columns: list[int]
    limit: int | None = None

    def at(self, place: int, rows: Integers) -> Floats:
        """Fill one channel.

        Parameters
        ----------
        place : int
            Which of the columns.
        rows : ndarray of int64, shape (holes,)
            The rows where it was not observed, or some of them.

        Returns
        -------
        ndarray of float64, shape (holes,)
            The values; NaN where this method has none.
        """
        column = self.columns[place]
        values = np.ascontiguousarray(self.stream.values[:, column])  # read more than once
        before, after = neighbours(self.stream.mask[:, column], self.stream.offsets, rows)
        if self.method in ("linear", "time"):
            times = self.stream.clock_times if self.method == "time" else None
            filled = _between(values, before, after, rows, times)
            steps = rows - before
        else:
            source = self._source(before, after, rows)
            filled = np.where(source >= 0, values[source], np.nan).astype(np.float64)
            steps = np.abs(rows - source)
        if self.limit is not None:
            filled[steps > self.limit] = np.nan
        return filled

    def _source(self, before: Integers, after: Integers, rows: Integers) -> Integers:
        """Choose the observation each hole is filled from; -1 for none."""
        if self.method == "forward":
            return before
        if self.method == "backward":
            return after
        times = self.stream.clock_times
        later = (times[after] - times[rows]) < (times[rows] - times[before])
        return np.where((before < 0) | ((after >= 0) & later), after, before)


def neighbours(
    seen: Booleans, offsets: Integers, rows: Integers | None = None
) -> tuple[Integers, Integers]:
    """Find the observations beside each hole, within its record.

    Parameters
    ----------
    seen : ndarray of bool, shape (steps,)
        Where there is a value.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    rows : ndarray of int64, shape (holes,), optional
        The holes; by default all rows without a value.

    Returns
    -------
    before, after : ndarray of int64, shape (holes,)
        The rows of the last observation before and the first after; -1 where the record has none.

    Examples
    --------
    >>> seen = np.array([True, False, True, False])
    >>> neighbours(seen, np.array([0, 3, 4]))
    (array([ 0, -1]), array([ 2, -1]))
    """
    rows = np.flatnonzero(~seen) if rows is None else rows
    there = np.flatnonzero(seen)
    if not there.size or not rows.size:
        nothing = np.full(len(rows), -1)
        return nothing, nothing.copy()
    count = np.cumsum(seen)[rows]
    record = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))[rows]
    before, after = there[count - 1], there[np.minimum(count, len(there) - 1)]
    before = np.where((count > 0) & (before >= offsets[record]), before, -1)
    after = np.where((count < len(there)) & (after < offsets[record + 1]), after, -1)
    return before, after


def _between(
    values: Array, before: Integers, after: Integers, rows: Integers, times: Array | None
) -> Floats:
    """Draw straight lines across the holes that have an observation on both sides."""
    filled = np.full(len(rows), np.nan)
    inside = np.flatnonzero((before >= 0) & (after >= 0))
    a, b, row = before[inside], after[inside], rows[inside]
    done, whole = (
        (row - a, b - a) if times is None else (times[row] - times[a], times[b] - times[a])
    )
    share = np.divide(done, whole, out=np.zeros(len(row)), where=whole > 0)
    start = values[a].astype(np.float64)
    filled[inside] = start + share * (values[b] - start)
    return filled
