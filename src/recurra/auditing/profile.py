"""One channel in numbers: range, middle, spread, shape, outliers, and what is missing of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recurra.auditing.case import View
from recurra.auditing.missingness import Missingness, find_pattern
from recurra.data.sequences import STATIC
from recurra.data.treatments import find_outliers
from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["OUTLYING", "Profile", "profiles_of"]

OUTLYING, HEAVY = 10.0, 3.0
"""Far out is past so many robust standard deviations, and so many times the outer fiftieth."""
SKEWED, MAINLY, FEWEST = 0.5, 0.5, 20


@dataclass(frozen=True, eq=False)
class Profile:
    """One channel in numbers.

    Parameters
    ----------
    stream, channel : str
        Where, and which.
    coded : bool
        Whether it holds labels.
    missing : Missingness
        What is missing, and after what pattern.
    ordered : ndarray
        What was observed, sorted.
    outlying : ndarray of bool, shape (rows,)
        Values far from the others: of a skewed channel, on a log scale.
    beyond : float
        How many robust standard deviations out they are at least.
    """

    stream: str
    channel: str
    coded: bool
    missing: Missingness
    ordered: Array
    outlying: Booleans
    beyond: float = OUTLYING

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.ordered)

    @property
    def low(self) -> float:
        """The smallest value."""
        return float(self.ordered[0]) if self.count else float("nan")

    @property
    def high(self) -> float:
        """The largest value."""
        return float(self.ordered[-1]) if self.count else float("nan")

    @cached_property
    def middle(self) -> float:
        """The median."""
        return self._at(0.5)

    @property
    def spread(self) -> float:
        """How far nine tenths of the values reach, as standard deviations of normal ones."""
        return (self._at(0.95) - self._at(0.05)) / 3.29

    @cached_property
    def common(self) -> tuple[float, float]:
        """The commonest value, and its share."""
        if not self.count:
            return float("nan"), 0.0
        edges = np.flatnonzero(np.r_[True, self.ordered[1:] != self.ordered[:-1], True])
        runs = np.diff(edges)
        best = int(runs.argmax())
        return float(self.ordered[edges[best]]), float(runs[best] / self.count)

    @cached_property
    def different(self) -> int:
        """How many different values there are."""
        return int((self.ordered[1:] != self.ordered[:-1]).sum()) + 1 if self.count else 0

    @property
    def constant(self) -> bool:
        """Whether all values are one."""
        return self.different == 1

    @property
    def binary(self) -> bool:
        """Whether there are only two values."""
        return self.different == 2

    @cached_property
    def skew(self) -> float:
        """How much further the upper tail reaches than the lower, -1 to 1; spikes do not count."""
        return _skew(self.ordered)

    @property
    def skewed(self) -> bool:
        """Whether one tail is far longer than the other, and the channel is no flag."""
        plain = not self.coded and not self.binary and self.count >= FEWEST
        return plain and abs(self.skew) > SKEWED and self.common[1] <= MAINLY

    @property
    def quantiles(self) -> tuple[float, float, float, float, float]:
        """Lowest, 5 %, middle, 95 %, highest."""
        return (self.low, self._at(0.05), self.middle, self._at(0.95), self.high)

    def _at(self, share: float) -> float:
        """Give a quantile of what is sorted already."""
        return _quantile(self.ordered, share)


def profiles_of(view: View) -> list[Profile]:
    """Measure every channel of a stream.

    Parameters
    ----------
    view : View
        A stream of measurements, or the static covariates.

    Returns
    -------
    list of Profile
        One for each channel.
    """
    known: dict[bytes, Missingness] = {}
    times = view.wall if view.stream.clock == "calendar" else view.stream.clock_times
    made = []
    for k, name in enumerate(view.stream.channels):
        seen = np.ascontiguousarray(view.seen[:, k])
        key = b"" if seen.all() else np.packbits(seen).tobytes()
        if key not in known:
            known[key] = _pattern(view, seen, times)
        column, coded = view.stream.values[:, k], view.is_coded(k)
        ordered = np.sort(column[seen])
        outlying, beyond = np.zeros(len(column), bool), OUTLYING
        if not coded:
            outlying, beyond = _outlying(column, seen, ordered, view.places)
        made.append(Profile(view.name, name, coded, known[key], ordered, outlying, beyond))
    return made


def _pattern(view: View, seen: Booleans, times: Integers) -> Missingness:
    """Find the pattern of what is missing; static covariates have none."""
    if view.name == STATIC:
        lost = int((~seen).sum())
        full = "complete" if not lost else "empty" if lost == len(seen) else "random"
        return Missingness(full, len(seen), lost, lost, 1)  # type: ignore[arg-type]
    unit = "ns" if view.stream.clock == "calendar" else "step"
    return find_pattern(seen, times, view.places, unit=unit)  # type: ignore[arg-type]


def _outlying(
    column: Array, seen: Booleans, ordered: Array, offsets: Integers
) -> tuple[Booleans, float]:
    """Find values that are far out, unless most are one and the same; and how far that is."""
    none = np.zeros(len(column), bool)
    if len(ordered) < FEWEST or _quantile(ordered, 0.25) == _quantile(ordered, 0.75):
        return none, OUTLYING  # where most values are equal the others are rare, not far out
    values, tidy = column, ordered
    if abs(_skew(ordered)) > SKEWED:
        tidy = _tamed(ordered, ordered)
        values = np.full(len(column), np.nan)
        values[seen] = _tamed(column[seen], ordered)
    beyond = _reach(tidy)
    found = find_outliers(values[:, None], seen[:, None], offsets, threshold=beyond)
    return found[:, 0], beyond


def _reach(ordered: Array) -> float:
    """Choose how many robust standard deviations are far: more where tails are heavy."""
    low, middle, high = (_quantile(ordered, share) for share in (0.02, 0.5, 0.98))
    distance = np.abs(ordered.astype(np.float64) - middle)
    spread = 1.4826 * float(np.median(distance)) or 1.2533 * float(distance.mean())
    tail = HEAVY * max(high - middle, middle - low) / spread
    return next((one for one in (10.0, 15.0, 20.0, 30.0, 50.0) if one >= tail), 100.0)


def _tamed(values: Array, ordered: Array) -> Floats:
    """Take logarithms of distances: from 0 or, if there are values below, from the middle."""
    lowest, middle = float(ordered[0]), float(ordered[len(ordered) // 2])
    every = ordered.astype(np.float64) - (0.0 if lowest >= 0 else middle)
    unit = _quantile(np.sort(np.abs(every[every != 0])), 0.05)
    distance = values.astype(np.float64) - (0.0 if lowest >= 0 else middle)
    found: Floats = np.sign(distance) * np.log1p(np.abs(distance) / unit)
    return found


def _skew(ordered: Array) -> float:
    """Compare the two sides of what is sorted; see `Profile.skew`."""
    low, middle, high = (_quantile(ordered, share) for share in (0.05, 0.5, 0.95))
    return (low + high - 2 * middle) / (high - low) if high > low else 0.0


def _quantile(ordered: Array, share: float) -> float:
    """Give a quantile of what is sorted already."""
    if not len(ordered):
        return float("nan")
    place = share * (len(ordered) - 1)
    left = int(place)
    right = min(left + 1, len(ordered) - 1)
    low, high = float(ordered[left]), float(ordered[right])
    return low + (high - low) * (place - left)
