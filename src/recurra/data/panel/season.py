"""Find season lengths by vote, where the clock does not tell them.

Each series is differenced, so that a trend or a random walk leaves nothing but noise, and its
autocorrelation is taken by FFT. A season shows as a peak that the series have in common: one
series' chance peaks lie elsewhere than another's.
"""

from __future__ import annotations

import numpy as np

from recurra.types import Booleans, Floats, Integers

__all__ = ["detect_season_lengths"]

MOST_SERIES = 200
MOST_STEPS = 8_000
CYCLES = 3
"""A series votes on a lag it is at least this many times as long as."""
SMALLEST_CORRELATION = 0.08
SMALLEST_SCORE = 4.0
"""How many standard errors of noise a peak must reach: beyond chance among some 400 lags."""
SMALLEST_SHARE = 0.25
"""How many of the series must each show the peak."""
NEARLY = 0.7
"""A divisor of a season that correlates this nearly as well is the season."""


def detect_season_lengths(
    target: Floats, offsets: Integers, *, max_lag: int = 400
) -> tuple[int, ...]:
    """Find the season lengths that the records have in common.

    Parameters
    ----------
    target : ndarray of float64, shape (rows,)
        The values, NaN where unobserved.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    max_lag : int
        The longest season looked for.

    Returns
    -------
    tuple of int
        No, one or two season lengths, the shorter first.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> week = np.tile([0.0, 1, 2, 3, 4, 8, 8], 30) + rng.normal(size=210)
    >>> detect_season_lengths(week, np.array([0, 210]))
    (7,)
    >>> detect_season_lengths(rng.normal(size=210).cumsum(), np.array([0, 210]))
    ()
    """
    every = max(1, (len(offsets) - 1) // MOST_SERIES)
    pairs = zip(offsets[:-1:every], offsets[1::every], strict=True)
    cut = [target[a:b][-MOST_STEPS:] for a, b in pairs]
    changes = [change for series in cut if (change := _changes(series)) is not None]
    if not changes:
        return ()
    first = _strongest(changes, 2, max_lag)
    if first is None:
        return ()
    rest = [change[first:] - change[:-first] for change in changes if len(change) > CYCLES * first]
    second = _strongest(rest, 2 * first, max_lag)
    return (first,) if second is None else (first, second)


def _changes(series: Floats) -> Floats | None:
    """Difference a series and bring it to unit size; None if there is too little of it."""
    seen = ~np.isnan(series)
    if seen.sum() < max(3 * CYCLES, len(series) / 2):
        return None
    place = np.arange(len(series))
    change = np.diff(np.interp(place, place[seen], series[seen]))
    change -= change.mean()
    size = np.abs(change).max()
    change = change / size if size > 0 else change
    return change / change.std() if change.std() > 0 else None


def _strongest(changes: list[Floats], shortest: int, longest: int) -> int | None:
    """Give the lag of the best common peak, if it is beyond chance."""
    counts = np.array([len(change) for change in changes])
    longest = min(longest, int(counts.max()) // CYCLES)
    if longest <= shortest:
        return None
    correlations = np.array([_autocorrelation(change, 2 * longest) for change in changes])
    correlations[np.arange(2 * longest + 1) > counts[:, None] * 2 // CYCLES] = np.nan
    common, peaks = _common_peaks(correlations, counts)
    peaks[:shortest] = peaks[longest + 1 :] = False
    if not peaks.any():
        return None
    best = int(np.where(peaks, common, -np.inf).argmax())
    parts = [lag for lag in range(shortest, best) if best % lag == 0 and peaks[lag]]
    return next((lag for lag in parts if common[lag] >= NEARLY * common[best]), best)


def _common_peaks(correlations: Floats, counts: Integers) -> tuple[Floats, Booleans]:
    """Average the correlations of all series, and mark the lags that pass every test."""
    votes = ~np.isnan(correlations)
    weights = votes * counts[:, None]
    total = np.maximum(weights.sum(0), 1)
    common = np.where(votes, correlations * counts[:, None], 0.0).sum(0) / total
    shown = np.where(votes, correlations > 2 / np.sqrt(counts)[:, None], False).sum(0)
    peaks = (common >= SMALLEST_CORRELATION) & (common * np.sqrt(total) >= SMALLEST_SCORE)
    peaks &= (votes.sum(0) >= len(counts) / 2) & (shown >= SMALLEST_SHARE * votes.sum(0))
    peaks[1:-1] &= (common[1:-1] > common[:-2]) & (common[1:-1] >= common[2:])
    half = len(common) // 2
    again = common[2 * np.arange(half + 1)]
    peaks[: half + 1] &= again >= common[: half + 1] / 3
    return common, peaks


def _autocorrelation(change: Floats, longest: int) -> Floats:
    """Correlate a series with itself at every lag, through its power spectrum."""
    size = 1 << int(2 * len(change) - 1).bit_length()
    power = np.abs(np.fft.rfft(change, size)) ** 2
    products = np.fft.irfft(power, size)[: min(longest + 1, len(change))]
    whole = np.full(longest + 1, np.nan)
    whole[: len(products)] = products / products[0] if products[0] > 0 else 0.0
    return whole
