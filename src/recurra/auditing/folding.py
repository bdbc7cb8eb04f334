"""Fold a series over a period: a gap that keeps to a cycle falls on the same phases each time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from recurra.auditing.calendar import Cycle
from recurra.auditing.gaps import Gaps
from recurra.types import Booleans, Floats, Integers

__all__ = ["Fold", "fold", "fold_steps"]

MOST_RECORDS = 50
FEWEST_TURNS = 4
"""A period in steps is looked for in records at least this many times as long."""
MOST_PERIODS = 5
"""Periods looked at closely: those at which the starts of gaps agree best."""
LEAST_EXPLAINED = 0.5
SHARPEST = 0.7
"""An exact period has an edge: from one phase to the next the missing share changes this much."""
CHANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Fold:
    """What a cycle says of what is missing.

    Parameters
    ----------
    cycle : Cycle
        The cycle folded over.
    rates : ndarray of float64, shape (size,)
        Missing share at each phase; NaN where no row falls.
    explained : float
        Share of the variance between missing and observed that the phases explain, less what as
        many phases would explain by chance.
    edge : float
        The sharpest change of the rates from one phase to the next.
    chance : float
        A p-value: how likely as many gaps would begin, or end, at one phase of one of the cycles
        looked at; for a period in steps, as many begin so far from each other.
    """

    cycle: Cycle
    rates: Floats
    explained: float
    edge: float
    chance: float

    @property
    def exact(self) -> bool:
        """Whether gaps keep to the cycle, and not by chance."""
        sharp = self.edge >= SHARPEST and self.explained >= LEAST_EXPLAINED
        return sharp and self.chance < CHANCE


def fold(missing: Booleans, gaps: Gaps, cycle: Cycle, times: Integers, looks: int) -> Fold:
    """Fold over a cycle of the calendar.

    Parameters
    ----------
    missing : ndarray of bool, shape (rows,)
        Whether a row lacks its value.
    gaps : Gaps
        Of the same rows.
    cycle : Cycle
        Where each row stands.
    times : ndarray of int64, shape (rows,)
        Gaps of several records that begin at the same time are one.
    looks : int
        Cycles looked at.

    Returns
    -------
    Fold
        Rates, and how sure they are.
    """
    visits, rates, explained, edge = _rates(missing, cycle.phase, cycle.size)
    chance = 1.0
    for rows in (gaps.starts[gaps.whole_start], gaps.stops[gaps.whole_stop]):
        _, once = np.unique(times[rows], return_index=True)
        counts = np.bincount(cycle.phase[rows[once]], minlength=cycle.size)
        chance = min(chance, 2 * looks * _chance_of_mode(counts, visits / visits.sum()))
    return Fold(cycle, rates, explained, edge, min(chance, 1.0))


def fold_steps(missing: Booleans, gaps: Gaps, offsets: Integers) -> list[Fold]:
    """Fold over the periods, in steps, after which gaps most often start again.

    Each record may stand at a phase of its own. Of many records 50 are looked at, spread evenly.

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
        At most five, the likeliest first.

    Examples
    --------
    >>> from recurra.auditing.gaps import find_gaps
    >>> missing, offsets = np.arange(200) % 13 < 4, np.array([0, 200])
    >>> best = fold_steps(missing, find_gaps(missing, offsets), offsets)[0]
    >>> best.cycle.size, round(best.explained, 6), best.exact
    (13, 1.0, True)
    """
    lengths = np.diff(offsets)
    long = np.flatnonzero(lengths >= 2 * FEWEST_TURNS)
    records = long[:: max(1, -(-len(long) // MOST_RECORDS))]
    inner = gaps.starts[gaps.whole_start]
    cut = np.searchsorted(inner, offsets)
    starts = [inner[cut[one] : cut[one + 1]] - offsets[one] for one in records]
    if not len(records):
        return []
    part = np.concatenate([missing[offsets[one] : offsets[one + 1]] for one in records])
    series = _Series(part, starts, lengths[records])
    return [_fold_period(series, period, chance) for period, chance in _likely_periods(series)]


@dataclass(frozen=True, eq=False)
class _Series:
    """Some records: their rows, where gaps start in each, and how long each is."""

    missing: Booleans
    starts: list[Integers]
    counts: Integers


def _likely_periods(series: _Series) -> list[tuple[int, float]]:
    """Give the lags at which starts of gaps meet starts most beyond chance, and that chance."""
    longest = int(series.counts.max(initial=0)) // FEWEST_TURNS
    met, expected = np.zeros(longest + 1), np.full(longest + 1, 1e-9)
    for rows, count in zip(series.starts, series.counts, strict=True):
        last = int(count) // FEWEST_TURNS
        met[: last + 1] += _meetings(rows, int(count), last)
        expected[: last + 1] += (count - np.arange(last + 1)) * (len(rows) / count) ** 2
    ratio = np.maximum(met, 1e-9) / expected
    surprise = np.where(met > expected, met * np.log(ratio) - (met - expected), 0.0)
    surprise[:2] = 0.0
    best = np.argsort(-surprise, kind="stable")[:MOST_PERIODS]
    tails = special.pdtrc(met[best] - 1, expected[best]) * longest
    return [(int(lag), float(tail)) for lag, tail in zip(best, tails, strict=True) if surprise[lag]]


def _meetings(rows: Integers, count: int, last: int) -> Floats:
    """Count the pairs of starts at each distance, by FFT."""
    size = 1 << int(count + last).bit_length()
    marks = np.zeros(count)
    marks[rows] = 1.0
    power = np.abs(np.fft.rfft(marks, size)) ** 2
    pairs: Floats = np.rint(np.fft.irfft(power, size)[: last + 1])
    return pairs


def _fold_period(series: _Series, period: int, chance: float) -> Fold:
    """Fold records over one period, each shifted to agree best with those before it."""
    parts, profile = [], np.zeros(period)
    rows = np.split(series.missing, np.cumsum(series.counts)[:-1])
    for lost in rows:
        phase = np.arange(len(lost)) % period
        own = np.bincount(phase[lost], minlength=period) - lost.mean() * len(lost) / period
        agreement = np.fft.irfft(np.fft.rfft(profile) * np.fft.rfft(own).conj(), period)
        shift = int(agreement.argmax())
        profile += np.roll(own, shift)
        parts.append((phase + shift) % period)
    phases = np.concatenate(parts)
    _, rates, explained, edge = _rates(series.missing, phases, period)
    labels = tuple(f"step {one}" for one in range(1, period + 1))
    cycle = Cycle("step", f"{period} steps", phases, period, period, labels)
    return Fold(cycle, rates, explained, edge, min(chance, 1.0))


def _rates(missing: Booleans, phase: Integers, size: int) -> tuple[Floats, Floats, float, float]:
    """Visits and missing share of each phase, the share explained, the sharpest edge."""
    visits = np.bincount(phase, minlength=size).astype(np.float64)
    lost = np.bincount(phase[missing], minlength=size)
    seen = visits > 0
    rates = np.full(size, np.nan)
    rates[seen] = lost[seen] / visits[seen]
    known, rows, share = rates[seen], len(missing), missing.mean()
    within = float((visits[seen] * known * (1 - known)).sum()) / (rows * share * (1 - share))
    free = (rows - 1) / max(rows - int(seen.sum()), 1)
    edge = float(np.abs(known - np.roll(known, 1)).max()) if len(known) > 1 else 0.0
    return visits, rates, float(1 - within * free), edge


def _chance_of_mode(counts: Integers, shares: Floats) -> float:
    """How likely any phase gets as many as the fullest one did."""
    top = int(counts.argmax())
    most, total = int(counts[top]), int(counts.sum())
    if most == 0:
        return 1.0
    tail = float(special.bdtrc(most - 1, total, shares[top]))
    return tail * int((shares > 0).sum())
