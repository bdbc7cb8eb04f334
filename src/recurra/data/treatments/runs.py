"""Runs of neighbouring rows, each pooled to one; only what was observed counts."""

from __future__ import annotations

import numpy as np

from recurra.data.sequences import Target
from recurra.types import Array, Booleans, Integers

__all__ = ["ORDERLY", "WAYS", "end_of_runs", "pool_runs", "pool_target"]

WAYS = ("mean", "last", "first", "sum", "min", "max", "count")
"""How the values of a run may become one."""
ORDERLY = ("first", "last", "count")
"""Those that codes and labels have, too."""


def pool_runs(
    values: Array, observed: Booleans | None, starts: Integers, way: str
) -> tuple[Array, Booleans]:
    """Pool each run of rows, channel by channel.

    Parameters
    ----------
    values : ndarray, shape (rows, channels)
        The values.
    observed : ndarray of bool, shape (rows, channels), optional
        Where there is one; None for everywhere.
    starts : ndarray of int64, shape (runs,)
        The first row of each run, increasing; the first is 0, and a run ends where the next starts.
    way : {"mean", "last", "first", "sum", "min", "max", "count"}
        How: ``"first"`` and ``"last"`` are the first and last observed value of each channel;
        ``"count"`` is how many were observed, known even where that is 0.

    Returns
    -------
    values : ndarray, shape (runs, channels)
        The pooled values; NaN, or 0 for integers, where no row of the run was observed.
    observed : ndarray of bool, shape (runs, channels)
        Where there is one.

    Examples
    --------
    >>> values = np.array([[1.0], [np.nan], [5.0], [np.nan]])
    >>> pool_runs(values, ~np.isnan(values), np.array([0, 3]), "mean")
    (array([[ 3.],
           [nan]]), array([[ True],
           [False]]))
    """
    shape = (len(starts), values.shape[1])
    if not len(starts):
        return values[:0], np.zeros(shape, np.bool_)
    if observed is None:
        observed = np.ones(values.shape, np.bool_)
    if way in ("first", "last"):
        return _end(values, observed, starts, way)
    counts = np.add.reduceat(observed, starts, axis=0, dtype=np.int64)
    if way == "count":
        return counts.astype(np.float64), np.ones(shape, np.bool_)
    known = counts > 0
    real = values if values.dtype.kind == "f" else values.astype(np.float64)
    if way in ("min", "max"):
        reduce = np.minimum if way == "min" else np.maximum
        neutral = real.dtype.type(np.inf if way == "min" else -np.inf)
        pooled = reduce.reduceat(np.where(observed, real, neutral), starts, axis=0)
    else:
        pooled = np.add.reduceat(np.where(observed, real, 0), starts, axis=0, dtype=np.float64)
        if way == "mean":
            pooled /= np.maximum(counts, 1)
    pooled[~known] = np.nan
    return pooled.astype(real.dtype, copy=False), known


def end_of_runs(observed: Booleans, starts: Integers, way: str) -> Integers:
    """Find the first or last observed row of each run, for each channel.

    Parameters
    ----------
    observed : ndarray of bool, shape (rows, channels)
        Where there is a value.
    starts : ndarray of int64, shape (runs,)
        As for `pool_runs`.
    way : {"first", "last"}
        Which.

    Returns
    -------
    ndarray of int64, shape (runs, channels)
        The rows; -1 where none of the run was observed.

    Examples
    --------
    >>> end_of_runs(np.array([[False], [True], [True], [False]]), np.array([0, 3]), "first")
    array([[ 1],
           [-1]])
    """
    rows = np.arange(len(observed), dtype=np.int64)[:, None]
    if way == "last":
        return np.maximum.reduceat(np.where(observed, rows, -1), starts, axis=0)
    found = np.minimum.reduceat(np.where(observed, rows, len(observed)), starts, axis=0)
    return np.where(found < len(observed), found, -1)


def pool_target(
    target: Target, starts: Integers, places: Integers, offsets: Integers, way: str = "last"
) -> Target:
    """Keep the first or last known answer of each run.

    Parameters
    ----------
    target : Target
        With a row for each step.
    starts : ndarray of int64, shape (runs,)
        As for `pool_runs`.
    places : ndarray of int64, shape (runs,)
        The new row of each run; rows that no run becomes are unknown.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record's new rows start.
    way : {"first", "last"}
        Which.

    Returns
    -------
    Target
        With a row for each new step.
    """
    unknown = -1 if target.classes else np.nan
    values = np.full((int(offsets[-1]), target.values.shape[1]), unknown, target.values.dtype)
    if len(starts):
        rows = end_of_runs(target.observed, starts, way)
        kept = np.take_along_axis(target.values, np.maximum(rows, 0), 0)
        values[places] = np.where(rows >= 0, kept, unknown)
    return Target(values, "step", target.classes, target.outputs, offsets, target.stream)


def _end(values: Array, observed: Booleans, starts: Integers, way: str) -> tuple[Array, Booleans]:
    """Keep the first or last observed value of each run."""
    rows = end_of_runs(observed, starts, way)
    known = rows >= 0
    kept = np.take_along_axis(values, np.maximum(rows, 0), 0)
    return np.where(known, kept, np.nan if values.dtype.kind == "f" else 0).astype(
        values.dtype, copy=False
    ), known
