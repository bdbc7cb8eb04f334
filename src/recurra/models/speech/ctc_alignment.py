"""Where in a recording the symbols of a transcript lie: the most probable path that writes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from recurra.types import Floats, Integers

__all__ = ["align"]


def align(told: Floats, symbols: Sequence[int]) -> Integers:
    """Find the frames in which each symbol is said, by Viterbi's algorithm.

    Parameters
    ----------
    told : ndarray, shape (frames, 1 + symbols)
        The logarithms of the probabilities; the blank first.
    symbols : sequence of int
        What is said, counted without the blank, as `best_path` gives it.

    Returns
    -------
    ndarray of int64, shape (symbols, 2)
        The first frame of each, and the one after its last. Frames between belong to the blank.

    Raises
    ------
    ValueError
        If there are fewer frames than the symbols need: one each, and one between equal ones.

    Examples
    --------
    >>> told = np.log([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    >>> align(told, [0, 1])
    array([[1, 3],
           [3, 4]])
    """
    written = np.zeros(2 * len(symbols) + 1, np.int64)  # blanks at even places
    written[1::2] = np.asarray(symbols, np.int64) + 1
    skips = np.zeros(len(written), bool)  # over the blank before, from another symbol
    skips[3::2] = written[3::2] != written[1:-2:2]
    best = np.full(len(written), -np.inf)
    best[0] = 0.0
    back = np.zeros((len(told), len(written)), np.int64)
    for frame, row in enumerate(np.asarray(told, np.float64)):
        ways = np.full((3, len(written)), -np.inf)
        ways[0], ways[1, 1:] = best, best[:-1]
        ways[2, 2:] = np.where(skips[2:], best[:-2], -np.inf)
        back[frame] = ways.argmax(0)
        best = ways.max(0) + row[written]
    place = int(best[-2:].argmax()) + max(len(written) - 2, 0)
    if len(symbols) and not np.isfinite(best[place]):
        raise ValueError(f"{len(told)} frames are too few for {len(symbols)} symbols.")
    path = np.zeros(len(told), np.int64)
    for frame in range(len(told) - 1, -1, -1):
        path[frame] = place
        place -= int(back[frame, place])
    return np.array(
        [
            (said[0], said[-1] + 1)
            for k in range(len(symbols))
            for said in [np.flatnonzero(path == 2 * k + 1)]
        ],
        np.int64,
    ).reshape(-1, 2)
