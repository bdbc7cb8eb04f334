"""What is said of one channel: a word, numbers and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from recurra.auditing.phrases import percent, plural

__all__ = ["PATTERNS", "Missingness", "Pattern"]

Pattern = Literal[
    "complete",
    "empty",
    "seasonal",
    "yearly",
    "periodic",
    "recurring",
    "unclear",
    "contiguous",
    "scattered",
    "sparse",
    "random",
]
PATTERNS: tuple[Pattern, ...] = get_args(Pattern)


@dataclass(frozen=True)
class Missingness:
    """What is missing in one channel, and after what pattern.

    Parameters
    ----------
    pattern : str
        One of `PATTERNS`.
    rows, missing : int
        How many rows there are, and how many of them lack their value.
    gaps, longest : int
        How many runs of missing values, and the steps of the longest; none spans two records.
    period : float, optional
        Steps after which gaps come back: a whole number where the cycle is exact and in steps.
    cycle : str, optional
        The same for people: ``"24 hours"``, ``"1 year"``, ``"13 steps"``.
    phase : str, optional
        What the phases of the cycle are: ``"hour of day"``, ``"weekday"``, ``"step"``.
    where : str, optional
        The phases that are missing: ``"Saturday and Sunday"``; or, after "mostly", those that are
        missing more often than others.
    explained : float
        The share of what is missing, as variance, that the cycle explains; 0 without one.
    chance : float
        How likely as much structure as this comes about where values are lost one by one; 1 where
        no structure is claimed.
    """

    pattern: Pattern
    rows: int
    missing: int
    gaps: int = 0
    longest: int = 0
    period: float | None = None
    cycle: str | None = None
    phase: str | None = None
    where: str | None = None
    explained: float = 0.0
    chance: float = 1.0

    @property
    def share(self) -> float:
        """The missing share, 0 to 1."""
        return self.missing / self.rows if self.rows else 0.0

    @property
    def sentence(self) -> str:
        """The finding as one sentence without a full stop."""
        lost = f"{percent(self.share)} ({self.missing:,} of {self.rows:,})"
        longest = f"the longest {plural(self.longest, 'step')}"
        told = {
            "complete": f"complete: all of {plural(self.rows, 'value')}",
            "empty": f"empty: none of {plural(self.rows, 'value')} is there",
            "seasonal": f"missing {self._when}: {lost}",
            "yearly": f"missing {self._when}: {lost}",
            "periodic": f"missing every {self.cycle}, {self.where}: {lost}",
            "recurring": f"missing again about every {self.cycle}, never exactly: {lost}",
            "unclear": f"too little to tell a pattern: {lost} missing",
            "contiguous": f"missing in {plural(self.gaps, 'long gap')}, {longest}: {lost}",
            "scattered": f"missing in {plural(self.gaps, 'scattered gap')}, {longest}: {lost}",
            "sparse": f"mostly missing, observed at random: {lost}",
            "random": f"missing at random: {lost}",
        }
        return told[self.pattern]

    @property
    def _when(self) -> str:
        if self.phase == "weekday" and not (self.where or "").startswith("mostly"):
            return f"every {self.where}"
        turn = {"60 seconds": "minute", "60 minutes": "hour", "24 hours": "day", "7 days": "week"}
        each = turn.get(self.cycle or "", (self.cycle or "").removeprefix("1 "))
        return f"every {each}, {self.where}"
