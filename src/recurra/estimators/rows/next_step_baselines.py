"""Simple models of the next row, which a network has to beat."""

from __future__ import annotations

import math

import numpy as np

from recurra.data import Stream
from recurra.estimators.rows.next_step_data import has_row_before
from recurra.types import Floats

__all__ = ["of_flags", "of_numbers"]

SMALLEST = 1e-9


def of_flags(kept: Stream, part: Stream) -> dict[str, float]:
    """Score flags that are independent, and flags that depend on their own last value.

    Parameters
    ----------
    kept : Stream
        What is learned from.
    part : Stream
        What is scored.

    Returns
    -------
    dict of str to float
        By model, the mean log-likelihood of a row that has one before it.
    """
    (now, last), (then, before) = _pairs(part), _pairs(kept)
    always = (np.nansum(kept_values(kept), 0) + 0.5) / (kept.mask.sum(0) + 1.0)
    chains = np.stack([_share(np.where(before == k, then, np.nan)) for k in (0, 1)])
    from_last = np.where(last == 1, chains[1], chains[0])
    from_last = np.where(np.isnan(last), always, from_last)
    return {
        "how often each channel is 1": _mean_flags(now, np.broadcast_to(always, now.shape)),
        "each channel after its last value": _mean_flags(now, from_last),
    }


def of_numbers(kept: Stream, part: Stream) -> dict[str, float]:
    """Score normal distributions about the mean, and about the last value.

    Parameters
    ----------
    kept : Stream
        What is learned from.
    part : Stream
        What is scored.

    Returns
    -------
    dict of str to float
        By model, the mean log-likelihood of a row that has one before it.
    """
    (now, last), (then, before) = _pairs(part), _pairs(kept)
    mean = np.nanmean(kept_values(kept), 0)
    wander = np.where(np.isnan(last), mean, last)
    moved = then - np.where(np.isnan(before), mean, before)
    return {
        "the mean": _mean_numbers(now, mean, np.nanstd(kept_values(kept), 0)),
        "the last value": _mean_numbers(now, wander, np.sqrt(np.nanmean(moved**2, 0))),
    }


def kept_values(stream: Stream) -> Floats:
    """Give the values, NaN where nothing was observed.

    Parameters
    ----------
    stream : Stream
        The rows.

    Returns
    -------
    ndarray of float64, shape (steps, channels)
        The values.
    """
    values: Floats = np.where(stream.mask, stream.values, np.nan).astype(np.float64)
    return values


def _pairs(stream: Stream) -> tuple[Floats, Floats]:
    """Give the rows that have one before them, and those before."""
    values = kept_values(stream)
    rows = np.flatnonzero(has_row_before(stream))
    return values[rows], values[rows - 1]


def _share(flags: Floats) -> Floats:
    """Count how often a flag is 1, each value taken to have been seen half a time more."""
    share: Floats = (np.nansum(flags, 0) + 0.5) / ((~np.isnan(flags)).sum(0) + 1.0)
    return share


def _mean_flags(now: Floats, share: Floats) -> float:
    each = np.where(now == 1, np.log(share), np.log1p(-share))
    return _mean_of(np.where(np.isnan(now), np.nan, each))


def _mean_numbers(now: Floats, centre: Floats, spread: Floats) -> float:
    spread = np.maximum(spread, SMALLEST)
    each = -0.5 * ((now - centre) / spread) ** 2 - np.log(spread) - 0.5 * math.log(2 * math.pi)
    return _mean_of(each)


def _mean_of(each: Floats) -> float:
    """Add up each row, and take the mean of those where anything was observed."""
    there = ~np.isnan(each).all(1)
    return float(np.nansum(each[there], 1).mean()) if there.any() else math.nan
