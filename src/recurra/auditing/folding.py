"""Fold a series over a period: a gap that keeps to a cycle falls on the same phases each time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from recurra.auditing.calendar import Cycle
from recurra.auditing.gaps import Gaps
from recurra.types import Booleans, Floats, Integers

__all__ = ["Begun", "Fold", "chance_of_rates", "fold", "rates_of"]

LEAST_EXPLAINED = 1 / 3
MOST_TURNS = 0.7
LEAST_KEPT = 0.4
"""A cycle is exact if this share of all gaps, by rows, begin where in most turns one does."""
CHANCE = 1e-3
SAME_PHASE = 60
"""Phases no further apart than this part of the calendar's cycle are as good as the same."""
LEAST_LEANING = 0.05
CHANCE_OF_LEANING = 1e-6
FEWEST_A_PHASE = 2
"""Chi-square wants this many missing, and observed, at each phase."""


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
    kept : float
        The share of rows in gaps that begin at phases where one does in most turns, or end so.
    chance : float
        A p-value: how likely as many gaps would begin, or end, at one phase of one of the cycles
        looked at; for a period in steps, as many begin so far from each other.
    chance_of_rates : float
        Another: how likely the rates would differ as much.
    """

    cycle: Cycle
    rates: Floats
    explained: float
    kept: float
    chance: float
    chance_of_rates: float

    @property
    def exact(self) -> bool:
        """Whether gaps keep to the cycle, and not by chance."""
        strong = self.kept >= LEAST_KEPT and self.explained >= LEAST_EXPLAINED
        return strong and self.chance < CHANCE

    @property
    def tells(self) -> bool:
        """Whether the cycle explains much, whether or not gaps keep to it."""
        return self.explained >= LEAST_EXPLAINED

    @property
    def leaning(self) -> bool:
        """Whether gaps, without keeping to the cycle, are clearly more frequent in some phases."""
        sure = min(self.chance, self.chance_of_rates) < CHANCE_OF_LEANING
        return sure and self.explained >= LEAST_LEANING


def fold(
    missing: Booleans, gaps: Gaps, cycle: Cycle, times: Integers, looks: int, distinct: int
) -> Fold:
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
    distinct : int
        How many of the times differ.

    Returns
    -------
    Fold
        Rates, and how sure they are.
    """
    reach = max(1, cycle.size // SAME_PHASE)
    visits, rates, explained = rates_of(missing, cycle.phase, cycle.size)
    chance, kept = 1.0, 0.0
    tail = looks * chance_of_rates(missing, explained, len(visits.nonzero()[0]), distinct)
    turns = visits / max(cycle.steps / cycle.size, 1.0)
    for rows, whole in ((gaps.starts, gaps.whole_start), (gaps.stops, gaps.whole_stop)):
        rows = rows[whole]
        begun = Begun.at(cycle.phase[rows], gaps.lengths[whole], cycle.size)
        kept = max(kept, *(begun.kept(turns, width) for width in (1, reach)))
        _, once = np.unique(times[rows], return_index=True)
        counts = np.bincount(cycle.phase[rows[once]], minlength=cycle.size)
        for width in {1, reach}:
            mode = _chance_of_mode(counts, visits / visits.sum(), width)
            chance = min(chance, 4 * looks * mode)
    return Fold(cycle, rates, explained, kept, min(chance, 1.0), min(tail, 1.0))


def rates_of(missing: Booleans, phase: Integers, size: int) -> tuple[Floats, Floats, float]:
    """Visits and missing share of each phase, and the share explained."""
    visits = np.bincount(phase, minlength=size).astype(np.float64)
    lost = np.bincount(phase[missing], minlength=size)
    seen = visits > 0
    rates = np.full(size, np.nan)
    rates[seen] = lost[seen] / visits[seen]
    known, rows, share = rates[seen], len(missing), missing.mean()
    if share in (0, 1):
        return visits, rates, 0.0
    within = float((visits[seen] * known * (1 - known)).sum()) / (rows * share * (1 - share))
    free = (rows - 1) / max(rows - int(seen.sum()), 1)
    return visits, rates, float(1 - within * free)


@dataclass(frozen=True, eq=False)
class Begun:
    """How many gaps begin at each phase, and how many rows these hold."""

    counts: Integers
    rows: Floats

    @classmethod
    def at(cls, phases: Integers, lengths: Integers, size: int) -> Begun:
        """Count gaps of these lengths, by the phases at which they begin."""
        rows = np.bincount(phases, lengths.astype(np.float64), size)
        return cls(np.bincount(phases, minlength=size), rows.astype(np.float64))

    def kept(self, turns: Floats, reach: int) -> float:
        """The share that begins at phases where most turns have a gap begin, or near them."""
        near = sum((np.roll(self.counts, -shift) for shift in range(reach)), np.zeros(len(turns)))
        first = np.flatnonzero((turns > 0) & (near >= MOST_TURNS * turns))
        held = np.zeros(len(turns), bool)
        held[(first[:, None] + np.arange(reach)) % len(turns)] = True
        return float(self.rows[held].sum() / max(self.rows.sum(), 1))


def chance_of_rates(missing: Booleans, explained: float, phases: int, rows: int) -> float:
    """How likely rates differ so, by chi-square; rows count for less the more they follow the last.

    Rows of a chain with correlation r from one to the next weigh (1 - r) / (1 + r) each.
    """
    share = missing.mean()
    if phases < 2 or rows * min(share, 1 - share) < FEWEST_A_PHASE * phases:
        return 1.0
    both = float((missing[1:] & missing[:-1]).mean()) - share**2
    correlation = float(np.clip(both / (share * (1 - share)), 0.0, 1 - 1 / rows))
    raw = 1 - (1 - explained) * (rows - phases) / (rows - 1)
    surprise = max(raw, 0.0) * rows * (1 - correlation) / (1 + correlation)
    return float(special.chdtrc(phases - 1, surprise))


def _chance_of_mode(counts: Integers, shares: Floats, reach: int) -> float:
    """How likely any phase, with those near it, gets as many as the fullest one did."""
    counts = np.sum([np.roll(counts, shift) for shift in range(reach)], axis=0)
    shares = np.sum([np.roll(shares, shift) for shift in range(reach)], axis=0)
    top = int(counts.argmax())
    most, total = int(counts[top]), int(counts.sum()) // reach
    if most == 0:
        return 1.0
    tail = float(special.bdtrc(most - 1, total, min(shares[top], 1.0)))
    return tail * int((shares > 0).sum())
