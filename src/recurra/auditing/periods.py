"""Periods in steps: found where gaps start again, or the series looks like itself, and folded over.

The whole series is looked at, by FFT: no lag up to a quarter of the longest record is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from recurra.auditing.calendar import Cycle
from recurra.auditing.folding import Begun, Fold, chance_of_rates, rates_of
from recurra.auditing.gaps import Gaps
from recurra.types import Booleans, Floats, Integers

__all__ = ["fold_periods"]

MOST_RECORDS = 50
FEWEST_TURNS = 4
"""A period is looked for in records at least this many times as long."""
MOST_MEETING, MOST_ALIKE = 5, 3
"""Periods looked at closely: where starts of gaps meet starts most, where the series is alike."""


def fold_periods(missing: Booleans, gaps: Gaps, offsets: Integers) -> list[Fold]:
    """Fold over the periods, in steps, after which gaps most often start again or look alike.

    Each record may stand at a phase of its own. Of many records that have gaps 50 are looked
    at, spread evenly.

    Parameters
    ----------
    missing : ndarray of bool, shape (rows,)
        Whether a row lacks its value.
    gaps : Gaps
        Of the same rows.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.

    Returns
    -------
    list of Fold
        At most eight, the shorter first.

    Examples
    --------
    >>> from recurra.auditing.gaps import find_gaps
    >>> missing, offsets = np.arange(200) % 13 < 4, np.array([0, 200])
    >>> folds = fold_periods(missing, find_gaps(missing, offsets), offsets)
    >>> folds[0].cycle.size, round(folds[0].explained, 6), folds[0].exact
    (13, 1.0, True)
    """
    lengths = np.diff(offsets)
    long = np.flatnonzero(
        (lengths >= 2 * FEWEST_TURNS) & np.isin(np.arange(len(lengths)), gaps.records)
    )
    records = long[:: max(1, -(-len(long) // MOST_RECORDS))]
    inner, sizes = gaps.starts[gaps.whole_start], gaps.lengths[gaps.whole_start]
    cut = np.searchsorted(inner, offsets)
    starts = [inner[cut[one] : cut[one + 1]] - offsets[one] for one in records]
    if not len(records):
        return []
    part = np.concatenate([missing[offsets[one] : offsets[one + 1]] for one in records])
    held = [sizes[cut[one] : cut[one + 1]] for one in records]
    series = _Series(part, starts, held, lengths[records])
    return [_fold_period(series, period, chance) for period, chance in _likely_periods(series)]


@dataclass(frozen=True, eq=False)
class _Series:
    """Some records: their rows, where gaps start in each, how long these are, and the record."""

    missing: Booleans
    starts: list[Integers]
    sizes: list[Integers]
    counts: Integers


def _likely_periods(series: _Series) -> list[tuple[int, float]]:
    """Give the periods worth a look, and how likely starts would meet so often by chance."""
    longest = int(series.counts.max()) // FEWEST_TURNS
    met, expected = np.zeros(longest + 1), np.full(longest + 1, 1e-9)
    alike = np.zeros(longest + 1)
    lost = np.split(series.missing, np.cumsum(series.counts)[:-1])
    for rows, count, mask in zip(series.starts, series.counts, lost, strict=True):
        last = int(count) // FEWEST_TURNS
        pairs = count - np.arange(last + 1)
        marks = np.zeros(count)
        marks[rows] = 1.0
        met[: last + 1] += np.rint(_products(marks, last))
        expected[: last + 1] += pairs * (len(rows) / count) ** 2
        alike[: last + 1] += _products(mask - mask.mean(), last) / np.sqrt(pairs)
    ratio = np.maximum(met, 1e-9) / expected
    surprise = np.where(met > expected, met * np.log(ratio) - (met - expected), 0.0)
    peaks = np.where((alike[1:-1] > alike[:-2]) & (alike[1:-1] >= alike[2:]), alike[1:-1], 0.0)
    alike = np.concatenate([[0.0], peaks, [0.0]])[: longest + 1]
    surprise[:2] = alike[:2] = 0.0
    best = {*_highest(surprise, MOST_MEETING), *_highest(alike, MOST_ALIKE)}
    lags = np.array(sorted(best), np.int64)
    tails = special.pdtrc(met[lags] - 1, expected[lags]) * longest
    return list(zip(lags.tolist(), tails.tolist(), strict=True))


def _highest(scores: Floats, count: int) -> list[int]:
    """The places of the highest positive scores."""
    best = np.argsort(-scores, kind="stable")[:count]
    return [int(place) for place in best if scores[place] > 0]


def _products(series: Floats, last: int) -> Floats:
    """Sum the products of a series with itself at each lag, by FFT."""
    size = 1 << int(len(series) + last).bit_length()
    power = np.abs(np.fft.rfft(series, size)) ** 2
    sums: Floats = np.fft.irfft(power, size)[: last + 1]
    return sums


def _fold_period(series: _Series, period: int, chance: float) -> Fold:
    """Fold records over one period, each shifted to agree best with those before it."""
    parts: list[Integers] = []
    begun, profile = [], np.zeros(period)
    rows = np.split(series.missing, np.cumsum(series.counts)[:-1])
    for lost, starts in zip(rows, series.starts, strict=True):
        phase = np.arange(len(lost)) % period
        own = np.bincount(phase[lost], minlength=period) - lost.mean() * len(lost) / period
        shift = 0
        if parts:
            agreement = np.fft.irfft(np.fft.rfft(profile) * np.fft.rfft(own).conj(), period)
            shift = int(agreement.argmax())
        profile += np.roll(own, shift)
        parts.append((phase + shift) % period)
        begun.append((starts + shift) % period)
    phases = np.concatenate(parts)
    visits, rates, explained = rates_of(series.missing, phases, period)
    first = Begun.at(np.concatenate(begun), np.concatenate(series.sizes), period)
    kept = first.kept(visits, 1)
    cycle = Cycle("step", f"{period} steps", phases, period, period, labels=())
    shifts = (len(rows) - 1) * np.log(period) + np.log(series.counts.max())
    tail = chance_of_rates(series.missing, explained, period, len(phases))
    tail = float(np.exp(min(np.log(max(tail, 1e-300)) + shifts, 0.0)))
    return Fold(cycle, rates, explained, kept, min(chance, 1.0), min(tail, 1.0))
