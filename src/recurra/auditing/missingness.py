"""After what pattern values are missing, as one word, one sentence and the numbers behind them.

Each pattern is a question; the first that is answered with yes names it:

===========  ==================================================================================
complete     Is nothing missing?
empty        Is everything missing?
seasonal     Do gaps keep to phases of the day, week or month, or to several parts of the year?
yearly       Do they keep to one and the same stretch of every year, three years or more?
periodic     Do they keep to an exact period in steps that is no cycle of the calendar?
recurring    Do they come back after nearly equal intervals: a cycle that drifts or jitters?
unclear      Are fewer than five values missing, or observed, and they do not stand together?
contiguous   Do values stand together, nine tenths of them in at most three gaps a record?
scattered    Do values stand together, in more gaps than that?
sparse       Are more than three quarters missing?
random       Everything else: as if each value had been lost by itself.
===========  ==================================================================================

To *keep to a cycle*: its phases explain a third of the variance or more; two fifths of what is
missing lies in gaps that begin, or end, where in 0.7 of the turns one does; and so many gaps would
begin together once in 1,000 times by chance, all cycles looked at being counted. Of cycles that
explain about the same the one with the fewest phases is named, the calendar's before another; an
exact period that is only several turns of a shorter, uneven one is *recurring*.

Gaps may also *lean to a cycle*: they come more often in some of its phases, in no turn for sure.
That is seasonal on the calendar, told as "mostly", and recurring otherwise; it takes chances below
one in a million. Where a cycle of the calendar explains a third or more it goes before recurring.

To *stand together*: so few gaps would come about once in 1,000 times, were each record's values
lost one by one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from recurra.auditing.calendar import Cycle, calendar_cycles, stretches, usual_step
from recurra.auditing.folding import Fold, fold
from recurra.auditing.gaps import (
    Gaps,
    Recurrence,
    chance_of_clumps,
    find_gaps,
    find_recurrence,
    smooth,
)
from recurra.auditing.pattern import PATTERNS, Missingness, Pattern
from recurra.auditing.periods import fold_periods
from recurra.auditing.phrases import duration, percent
from recurra.errors import OptionError, ShapeError
from recurra.types import Booleans, Integers

__all__ = ["PATTERNS", "Missingness", "Pattern", "find_pattern"]

SPARSE = 0.75
FEWEST = 5
FEW_GAPS, MOST_OF_IT = 3, 0.9
CHANCE_OF_CLUMPS = 1e-3
CHANCE_OF_RECURRENCE = 1e-3
AS_GOOD, AS_LONG = 0.1, 1.05
NEARLY_EXACT = 0.1


def find_pattern(
    observed: Any, times: Any, offsets: Any, *, unit: Literal["ns", "step"] = "ns"
) -> Missingness:
    """Name the pattern after which one channel's values are missing.

    Gaps are counted along the rows there are, whatever their distance in time; the phases of the
    calendar come from the times. Periods in steps are looked for up to a quarter of the longest
    record, those of the calendar if the records cover three of them; a shorter history is answered
    with its gaps alone.

    Parameters
    ----------
    observed : array_like of bool, shape (rows,)
        Whether each row has its value; many records, one after the other.
    times : array_like, shape (rows,)
        When: int64 nanoseconds since 1970, rising in each record; or any numbers, if `unit` is
        ``"step"``. Hours and weekdays are those of these times, so hand in wall-clock times where
        people's days matter.
    offsets : array_like of int64, shape (records + 1,)
        Where each record starts, and the end.
    unit : {"ns", "step"}, default "ns"
        Whether times belong to the calendar, or are plain numbers that are not looked at.

    Returns
    -------
    Missingness
        The pattern, its period if it has one, and a sentence.

    Examples
    --------
    >>> days = np.arange("2024-01-01", "2025-01-01", dtype="M8[D]")
    >>> observed = np.is_busday(days)
    >>> found = find_pattern(observed, days.astype("M8[ns]").view("i8"), [0, 366])
    >>> found.sentence
    'missing every Saturday and Sunday: 28 % (104 of 366)'
    >>> found.pattern, found.period, found.cycle
    ('seasonal', 7.0, '7 days')
    """
    missing, times, offsets = _read(observed, times, offsets, unit)
    rows, lost = len(missing), int(missing.sum())
    if lost in (0, rows):
        return _all_or_nothing(rows, lost, offsets)
    gaps = find_gaps(missing, offsets)
    found = Missingness("random", rows, lost, len(gaps.starts), int(gaps.lengths.max()))
    step = usual_step(times, offsets) if unit == "ns" else 0
    clear = smooth(missing, offsets)
    rare = find_gaps(clear if clear.mean() <= 0.5 else ~clear, offsets)
    folds = _folds(missing, rare, times, offsets, step)
    best, again = _simplest(folds), find_recurrence(clear, offsets)
    if again is not None and again.chance > CHANCE_OF_RECURRENCE:
        again = None
    if best is not None and best.exact and not _hides(best, again):
        return _keeps_to(best, found, step)
    if again is not None and not (best and best.tells and best.cycle.name != "step"):
        return _comes_back(again.period, again.chance, found, step)
    if best is not None:
        return _leans_to(best, found, step)
    return _by_length(found, gaps, chance_of_clumps(missing, offsets, gaps))


# ----------------------------------------------------------------- how it is decided


def _read(
    observed: Any, times: Any, offsets: Any, unit: str
) -> tuple[Booleans, Integers, Integers]:
    """Read the arrays; plain numbers are replaced by the number of the row."""
    if unit not in ("ns", "step"):
        raise OptionError(f'unit={unit!r}, but it must be "ns" or "step".')
    missing, times = ~np.asarray(observed, bool), np.asarray(times)
    offsets = np.asarray(offsets, np.int64)
    if missing.ndim != 1 or times.shape != missing.shape:
        shapes = f"observed has shape {missing.shape} and times {times.shape}"
        raise ShapeError(f"{shapes}, but both must be (rows,). Take one channel at a time.")
    if offsets.ndim != 1 or len(offsets) < 1 or offsets[0] != 0 or offsets[-1] != len(missing):
        raise ShapeError(
            f"offsets must be a row of numbers from 0 to {len(missing)}, the number of rows; "
            f"got {offsets!r}."
        )
    return missing, times.astype(np.int64) if unit == "ns" else np.arange(len(times)), offsets


def _all_or_nothing(rows: int, lost: int, offsets: Integers) -> Missingness:
    if lost == 0:
        return Missingness("complete" if rows else "unclear", rows, 0)
    lengths = np.diff(offsets)
    return Missingness("empty", rows, lost, int((lengths > 0).sum()), int(lengths.max()))


def _folds(
    missing: Booleans, gaps: Gaps, times: Integers, offsets: Integers, step: int
) -> list[Fold]:
    """Fold over every cycle of the calendar, and over the likeliest periods in steps."""
    cycles: list[Cycle] = calendar_cycles(times, offsets, step) if step else []
    distinct = int((np.diff(np.sort(times)) > 0).sum()) + 1
    folds = [fold(missing, gaps, cycle, times, len(cycles), distinct) for cycle in cycles]
    return [*folds, *fold_periods(missing, gaps, offsets)]


def _simplest(folds: list[Fold]) -> Fold | None:
    """Of the cycles that explain about as much as any, choose the one with the fewest phases."""
    sure = [one for one in folds if one.exact or one.leaning]
    most = max((one.explained for one in sure), default=0.0)
    good = [one for one in sure if one.explained >= most - AS_GOOD]
    # A year is 365 steps or 366 days: near is equal, and then the calendar's is meant.
    slack = {"step": AS_LONG}
    return min(good, key=lambda one: one.cycle.size * slack.get(one.cycle.name, 1.0), default=None)


def _hides(best: Fold, again: Recurrence | None) -> bool:
    """Whether an exact period is only some turns of a shorter one that is no whole number."""
    if again is None or best.cycle.name != "step" or again.spread > NEARLY_EXACT:
        return False
    uneven = best.cycle.size % max(round(again.period), 1) != 0
    return uneven and best.cycle.size > 2.5 * again.period


def _comes_back(period: float, chance: float, found: Missingness, step: int) -> Missingness:
    """Describe gaps that come back, not exactly."""
    cycle = duration(period, step)
    return replace(found, pattern="recurring", period=period, cycle=cycle, chance=chance)


def _leans_to(best: Fold, found: Missingness, step: int) -> Missingness:
    """Describe a cycle that gaps are more frequent in parts of: the calendar's, or another."""
    if best.cycle.name == "step":
        found = replace(found, explained=best.explained)
        return _comes_back(float(best.cycle.size), best.chance_of_rates, found, step)
    rates = _filled(best)
    leaning = _keeps_to(best, found, step, above=found.share)
    high, low = (
        best.rates[part & ~np.isnan(best.rates)].mean()
        for part in (rates > found.share, rates <= found.share)
    )
    often = f"{percent(high)} there, {percent(low)} elsewhere"
    return replace(leaning, chance=best.chance_of_rates, where=f"mostly {leaning.where}: {often}")


def _keeps_to(best: Fold, found: Missingness, step: int, above: float = 0.5) -> Missingness:
    """Describe a cycle that gaps keep to."""
    cycle, lost = best.cycle, _filled(best) > above
    found = replace(found, explained=best.explained, chance=best.chance)
    if cycle.name == "step":
        where = f"{int(lost.sum())} of them"
        return replace(
            found,
            pattern="periodic",
            period=float(cycle.size),
            cycle=duration(cycle.size, step),
            phase=cycle.name,
            where=where,
        )
    if cycle.name.endswith("of year"):
        lost = smooth(np.tile(lost, 3), np.array([0, 3 * len(lost)]))[len(lost) : -len(lost)]
    yearly = cycle.name.endswith("of year") and len(stretches(lost)) == 1
    return replace(
        found,
        pattern="yearly" if yearly else "seasonal",
        period=float(cycle.steps),
        cycle=cycle.period,
        phase=cycle.name,
        where=cycle.describe(lost),
    )


def _filled(best: Fold) -> Any:
    """Rates, those of phases without rows as at the phase before."""
    known = np.flatnonzero(~np.isnan(best.rates))
    last = np.searchsorted(known, np.arange(len(best.rates)), side="right") - 1
    return best.rates[known[last]]


def _by_length(found: Missingness, gaps: Gaps, chance: float) -> Missingness:
    """Name what has no cycle, by how its values stand together."""
    if chance >= CHANCE_OF_CLUMPS:
        few = min(found.missing, found.rows - found.missing) < FEWEST
        pattern: Pattern = "sparse" if found.share > SPARSE else "random"
        return replace(found, pattern="unclear" if few else pattern)
    most = FEW_GAPS * len(np.unique(gaps.records))
    held = np.sort(gaps.lengths)[-most:].sum()
    together = held >= MOST_OF_IT * found.missing
    return replace(found, pattern="contiguous" if together else "scattered", chance=chance)
