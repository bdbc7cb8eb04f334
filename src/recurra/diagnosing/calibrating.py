"""Whether probabilities mean what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from recurra.types import Floats, Integers

__all__ = ["Reliability", "reliability"]

BINS = 10
DRAWS = 200  # of labels that would be right by what is said, to know what is chance


@dataclass(frozen=True)
class Reliability:
    """How often the most probable class is right, by how probable it is said to be.

    Attributes
    ----------
    said, right : ndarray, shape (bins,)
        Mean probability, and share that is right; NaN for empty bins.
    counts : ndarray of int, shape (bins,)
        Records in each.
    error : float
        The expected calibration error.
    chance : float
        What the error would be, but in one of a hundred draws, if all were as probable as is said.
    sure : float
        Mean probability less the share that is right: above 0 where it is too sure.
    """

    said: Floats
    right: Floats
    counts: Integers
    error: float
    chance: float
    sure: float


def reliability(probabilities: Floats, codes: Integers, seed: int = 0) -> Reliability | None:
    r"""Measure the expected calibration error.

    .. math:: \mathrm{ECE} = \sum_b \frac{n_b}{n} \lvert \mathrm{acc}_b - \mathrm{conf}_b \rvert

    over ten bins of equal width of the largest probability (Guo et al. 2017, arXiv:1706.04599).

    Parameters
    ----------
    probabilities : ndarray, shape (records, classes)
        What was said.
    codes : ndarray of int, shape (records,)
        What was right; -1 where unknown.
    seed : int
        Source of chance.

    Returns
    -------
    Reliability or None
        None where nothing is known.

    Examples
    --------
    >>> found = reliability(np.full((100, 2), 0.5), np.zeros(100, int))
    >>> found.error, found.sure
    (0.5, -0.5)
    """
    known = (codes >= 0) & np.isfinite(probabilities).all(1)
    if not known.any():
        return None
    probabilities, codes = probabilities[known], codes[known]
    sure = probabilities.max(1)
    right = (probabilities.argmax(1) == codes).astype(float)
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    said = np.bincount(place, sure, BINS)
    error = float(np.abs(np.bincount(place, right, BINS) - said).sum() / len(codes))
    random = np.random.default_rng(seed)
    drawn = [
        np.abs(np.bincount(place, random.random(len(sure)) < sure, BINS) - said).sum()
        for _ in range(DRAWS)
    ]
    filled = np.where(counts > 0, counts, np.nan)
    return Reliability(
        said / filled,
        np.bincount(place, right, BINS) / filled,
        counts,
        error,
        float(np.quantile(drawn, 0.99) / len(codes)),
        float(sure.mean() - right.mean()),
    )
