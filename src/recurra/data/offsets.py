"""Records of unequal length that lie flat, one after the other: where each begins."""

from __future__ import annotations

from typing import Any

import numpy as np

from recurra.types import Integers

__all__ = ["offsets_of", "place_of"]


def offsets_of(lengths: Any) -> Integers:
    """Turn lengths into where each record starts.

    Parameters
    ----------
    lengths : array-like of int, shape (records,)
        How many steps each record has.

    Returns
    -------
    ndarray of int64, shape (records + 1,)
        From 0 to their sum.

    Examples
    --------
    >>> offsets_of([2, 0, 1])
    array([0, 2, 2, 3])
    """
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, np.int64))]).astype(np.int64)


def place_of(offsets: Integers, row: int) -> tuple[int, int]:
    """Say where a row is.

    Parameters
    ----------
    offsets : ndarray of int, shape (records,) or (records + 1,)
        Where each record begins.
    row : int
        Counted through all records.

    Returns
    -------
    record : int
        The place of its record.
    step : int
        Counted in that record.

    Examples
    --------
    >>> place_of(offsets_of([2, 0, 1]), 2)
    (2, 0)
    """
    record = int(np.searchsorted(offsets, row, side="right")) - 1
    return record, int(row - offsets[record])
