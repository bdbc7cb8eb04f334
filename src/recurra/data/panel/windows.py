"""Windows of ragged series, as indices into their flat arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["draw_windows", "end_windows"]


def draw_windows(
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    context: int,
    batch: int,
    random: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Draw windows: a series at random, each as likely as any other, then a place in it.

    Parameters
    ----------
    starts, lengths : ndarray, shape (series,)
        First row of every series in the flat arrays, and how many rows may be used.
    context : int
        Rows in a window; a shorter series gives all its rows.
    batch : int
        How many windows.
    random : numpy.random.Generator
        Source of chance.

    Returns
    -------
    rows : ndarray, shape (batch, context)
        Indices into the flat arrays; padding repeats the first row of the window.
    valid : ndarray, shape (batch, context)
        False on padding.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> rows, valid = draw_windows(np.array([0]), np.array([3]), 4, 1, random)
    >>> rows.tolist(), valid.tolist()
    ([[0, 1, 2, 0]], [[True, True, True, False]])
    """
    series = random.integers(len(starts), size=batch)
    place = random.random(batch)
    spare = np.maximum(lengths[series] - context, 0) + 1
    first = starts[series] + np.floor(place * spare).astype(np.int64)
    return _rows(first, np.minimum(lengths[series], context), context)


def end_windows(
    starts: NDArray[np.int64], lengths: NDArray[np.int64], context: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the last window of every series; arguments and results as :func:`draw_windows`."""
    used = np.minimum(lengths, context)
    return _rows(starts + lengths - used, used, context)


def _rows(
    first: NDArray[np.int64], used: NDArray[np.int64], context: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    steps = np.arange(context)
    valid = steps < used[:, None]
    return first[:, None] + np.where(valid, steps, 0), valid
