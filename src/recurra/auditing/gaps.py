"""Gaps: runs of missing values, held against chance.

Where every value is missing by its own coin, the number of gaps is hypergeometric (the runs test of
Wald and Wolfowitz), and their distances are as irregular as waiting times are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from recurra.types import Booleans, Floats, Integers

__all__ = ["Gaps", "Recurrence", "chance_of_clumps", "find_gaps", "find_recurrence", "smooth"]

FEWEST_INTERVALS = 5
MOST_SPREAD = 0.25
"""How far intervals may lie from their median, as a mean share of it, and still be a cycle."""
DRAWS = 3999
MOST_DRAWN = 60
"""Intervals in a drawn series; more would only make chance less likely still."""


@dataclass(frozen=True, eq=False)
class Gaps:
    """Where each gap starts and stops; none goes on from one record into the next.

    Parameters
    ----------
    starts, stops : ndarray of int64, shape (gaps,)
        First missing row, and the row after the last.
    records : ndarray of int64, shape (gaps,)
        The record each lies in.
    whole_start, whole_stop : ndarray of bool, shape (gaps,)
        Whether an observation lies before it, and after it, in the same record.
    """

    starts: Integers
    stops: Integers
    records: Integers
    whole_start: Booleans
    whole_stop: Booleans

    @property
    def lengths(self) -> Integers:
        """Rows of each gap, shape (gaps,)."""
        return self.stops - self.starts


def find_gaps(missing: Booleans, offsets: Integers) -> Gaps:
    """Find the runs of True in each record.

    Parameters
    ----------
    missing : ndarray of bool, shape (rows,)
        Whether a row lacks its value.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.

    Returns
    -------
    Gaps
        In the order of rows.

    Examples
    --------
    >>> gaps = find_gaps(np.array([1, 1, 0, 1, 1, 0], bool), np.array([0, 4, 6]))
    >>> gaps.starts.tolist(), gaps.lengths.tolist(), gaps.records.tolist()
    ([0, 3, 4], [2, 1, 1], [0, 0, 1])
    """
    rows = len(missing)
    first = np.zeros(rows + 1, bool)
    first[offsets] = True  # the end too: nothing comes after the last row
    before = np.concatenate([[False], missing[:-1]]) & ~first[:-1]
    after = np.concatenate([missing[1:], [False]]) & ~first[1:]
    starts = np.flatnonzero(missing & ~before)
    stops = np.flatnonzero(missing & ~after) + 1
    records = np.searchsorted(offsets, starts, side="right") - 1
    return Gaps(starts, stops, records, ~first[starts], ~first[stops])


def smooth(missing: Booleans, offsets: Integers) -> Booleans:
    """Let crumbs go: single values lost or found within stretches that are long.

    A vote of the neighbours, over a quarter of the length of usual stretches, so that the borders
    of these stay where they are. Nothing changes where stretches are short, as chance makes them.

    Parameters
    ----------
    missing : ndarray of bool, shape (rows,)
        Whether a row lacks its value.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.

    Returns
    -------
    ndarray of bool, shape (rows,)
        Few and clear gaps.

    Examples
    --------
    >>> missing = np.arange(200) // 50 % 2 == 1
    >>> missing[[10, 70]] ^= True
    >>> np.diff(smooth(missing, np.array([0, 200]))).nonzero()[0].tolist()
    [49, 99, 149]
    """
    usual = min(_half(find_gaps(state, offsets).lengths) for state in (missing, ~missing))
    reach = usual // 8
    if reach < 1:
        return missing
    total = np.concatenate([[0], np.cumsum(missing)])
    lengths = np.diff(offsets)
    rows = np.arange(len(missing))
    low = np.maximum(rows - reach, np.repeat(offsets[:-1], lengths))
    high = np.minimum(rows + reach + 1, np.repeat(offsets[1:], lengths))
    twice = 2 * (total[high] - total[low])
    width = high - low
    return np.where(twice == width, missing, twice > width)


def chance_of_clumps(missing: Booleans, offsets: Integers, gaps: Gaps) -> float:
    """How likely so few gaps are, if which values of a record are missing is left to chance.

    Parameters
    ----------
    missing : ndarray of bool, shape (rows,)
        Whether a row lacks its value.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    gaps : Gaps
        Of the same rows.

    Returns
    -------
    float
        A p-value, one-sided: small where missing values stand together more than chance would have
        it. Each record is held against its own share, so that records may differ in theirs.

    Examples
    --------
    >>> missing = np.arange(100) // 10 % 2 == 1
    >>> offsets = np.array([0, 100])
    >>> chance_of_clumps(missing, offsets, find_gaps(missing, offsets)) < 1e-4
    True
    """
    total = np.concatenate([[0], np.cumsum(missing)])
    rows = np.maximum(np.diff(offsets), 1).astype(np.float64)
    lost = np.diff(total[offsets]).astype(np.float64)
    count = float(len(gaps.starts))
    expected = float((lost * (rows - lost + 1) / rows).sum())
    spread = lost * (lost - 1) * (rows - lost + 1) * (rows - lost)
    variance = float((spread / (rows**2 * np.maximum(rows - 1, 1))).sum())
    if variance > 100:
        return float(special.ndtr((count + 0.5 - expected) / np.sqrt(variance)))
    # Both counts are sums of unlike coins: narrower than Poisson's, whose tails are then too wide.
    joined, expected_joined = float(lost.sum()) - count, float(lost.sum()) - expected
    few = special.pdtr(count, expected)
    many = special.pdtrc(joined - 1, expected_joined) if joined > 0 and expected_joined > 0 else 1.0
    return float(min(2 * min(few, many), 1.0))


@dataclass(frozen=True)
class Recurrence:
    """A cycle that gaps keep to more or less.

    Parameters
    ----------
    period : float
        Mean steps from one gap to the next.
    spread : float
        Mean distance of an interval from the median one, as a share of it: 0 for a clock.
    chance : float
        How often irregular gaps would be as regular.
    """

    period: float
    spread: float
    chance: float


def find_recurrence(missing: Booleans, offsets: Integers) -> Recurrence | None:
    """Find out whether gaps come back after intervals that are nearly the same.

    Where most is missing it is the stretches of observations that must come back. Short stretches
    among long ones are passed over.

    Parameters
    ----------
    missing : ndarray of bool, shape (rows,)
        Whether a row lacks its value.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.

    Returns
    -------
    Recurrence or None
        None where there are too few intervals, or they are as irregular as chance would have them.

    Examples
    --------
    >>> starts = [7, 31, 52, 78, 101, 124, 149, 170]
    >>> missing = np.isin(np.arange(200), [row for one in starts for row in range(one, one + 5)])
    >>> round(find_recurrence(missing, np.array([0, 200])).period, 1)
    23.3
    """
    state = missing if missing.mean() <= 0.5 else ~missing
    gaps = find_gaps(state, offsets)
    main = _main(gaps.lengths)
    keep = main & gaps.whole_start
    starts, records = gaps.starts[keep], gaps.records[keep]
    intervals = np.diff(starts)[np.diff(records) == 0].astype(np.float64)
    if len(intervals) < FEWEST_INTERVALS:
        return None
    spread = float(_spread(intervals))
    if spread > MOST_SPREAD:
        return None
    length = float(gaps.lengths[main].mean())
    chance = _chance_of_regularity(spread, len(intervals), length, float(intervals.mean()) - length)
    near = np.abs(intervals / np.median(intervals) - 1) <= 0.5
    return Recurrence(float(intervals[near].mean()), spread, chance)


def _half(lengths: Integers) -> int:
    """Give the length of run that half of all rows of this state lie in, or in a longer one."""
    order = np.sort(lengths)
    return int(order[np.searchsorted(np.cumsum(order), order.sum() / 2)]) if len(order) else 0


def _main(lengths: Integers) -> Booleans:
    """Tell the long stretches from the crumbs among them, if there are but few crumbs."""
    if len(lengths) == 0:
        return np.zeros(0, bool)
    main = lengths >= _half(lengths) / 2
    return main if lengths[main].sum() >= 0.8 * lengths.sum() else np.ones(len(lengths), bool)


def _spread(intervals: Floats) -> Floats:
    """How far intervals lie from their median, along the last axis; an outlier counts as 1."""
    middle = np.median(intervals, axis=-1, keepdims=True)
    return np.minimum(np.abs(intervals / middle - 1), 1).mean(-1)


def _chance_of_regularity(spread: float, count: int, gap: float, between: float) -> float:
    """How often gaps and pauses without memory, of the same mean lengths, are as regular."""
    rng = np.random.default_rng(0)
    shape = (DRAWS, min(count, MOST_DRAWN))
    drawn = rng.geometric(1 / max(gap, 1.0), shape) + rng.geometric(1 / max(between, 1.0), shape)
    as_regular = (_spread(drawn.astype(np.float64)) <= spread).sum()
    return float((as_regular + 1) / (DRAWS + 1))
