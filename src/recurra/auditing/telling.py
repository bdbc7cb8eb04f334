"""How well one number tells a target: AUROC for classes, rank correlation for numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.auditing.phrases import quoted
from recurra.types import Floats, Integers

__all__ = ["Telling", "determines", "tell_class", "tell_number"]

SURE, NEARLY_SURE = 6.0, 4.0
"""Standard errors."""
STRONG, SLIGHT = 0.9, 0.55
FEWEST = 5
"""Classes with fewer records are told apart by chance."""


@dataclass(frozen=True)
class Telling:
    """How well a number tells a target.

    Parameters
    ----------
    strength : float
        0.5 for not at all, 1 for perfectly: the AUROC, or what it would be; never below 0.5.
    surprise : float
        How many standard errors that is from chance.
    words : str
        For people: ``"AUROC .93"``.
    measure : str
        What `value` is: ``"auroc"`` or ``"correlation"``.
    value : float
        The measure itself.
    """

    strength: float
    surprise: float
    words: str
    measure: str
    value: float

    @property
    def sure(self) -> bool:
        """Whether it is no chance, even where hundreds of channels are looked at."""
        strong = self.strength >= STRONG and self.surprise >= NEARLY_SURE
        return strong or (self.strength >= SLIGHT and self.surprise >= SURE)


def tell_class(feature: Floats, codes: Integers, classes: tuple[object, ...]) -> Telling | None:
    """Find out how well a number tells one class from the others: that which it tells best.

    Parameters
    ----------
    feature : ndarray of float64, shape (records,)
        A number of each record, NaN where unknown.
    codes : ndarray of int64, shape (records,)
        Classes, -1 where unknown.
    classes : tuple
        Their labels.

    Returns
    -------
    Telling or None
        None where there are too few records, or the number is the same for all.

    Examples
    --------
    >>> codes = np.repeat([0, 1], 10)
    >>> tell_class(np.arange(20.0), codes, ("a", "b")).words
    "tells 'a' from 'b' with AUROC 1.0"
    """
    known = (codes >= 0) & ~np.isnan(feature)
    feature, codes = feature[known], codes[known]
    if len(feature) < 4 * FEWEST or feature.min() == feature.max():
        return None
    ranks, ties = _ranks(feature)
    counts = np.bincount(codes, minlength=len(classes)).astype(np.float64)
    sums = np.bincount(codes, ranks, minlength=len(classes))
    usable = np.flatnonzero((counts >= FEWEST) & (len(feature) - counts >= FEWEST))
    if not usable.size:
        return None
    ours, others = counts[usable], len(feature) - counts[usable]
    areas = (sums[usable] / ours - (ours + 1) / 2) / others
    errors = np.sqrt((len(feature) + 1) / (12 * ours * others)) * _tie_factor(ties)
    best = int(np.abs(areas - 0.5).argmax())
    area = float(areas[best])
    strength = max(area, 1 - area)
    label = quoted(classes[usable[best]])
    rest = "the others"
    if len(usable) == 2 and len(classes) == 2:
        label, rest = quoted(classes[0]), quoted(classes[1])
    shown = "1.0" if strength == 1 else f"{min(strength, 0.999):.3f}".lstrip("0").rstrip("0")
    surprise = abs(area - 0.5) / float(errors[best]) if errors[best] else 0.0
    return Telling(
        strength, surprise, f"tells {label} from {rest} with AUROC {shown}", "auroc", strength
    )


def tell_number(feature: Floats, answers: Floats) -> Telling | None:
    """Find out how well a number tells another.

    Parameters
    ----------
    feature, answers : ndarray of float64, shape (records,)
        A number of each record, NaN where unknown; what is to be learnt.

    Returns
    -------
    Telling or None
        None where there are too few records, or either is the same for all.

    Examples
    --------
    >>> tell_number(np.arange(30.0), np.arange(30.0) ** 2).words
    'goes with it: rank correlation 1.0'
    """
    known = ~(np.isnan(feature) | np.isnan(answers))
    feature, answers = feature[known], answers[known]
    if len(feature) < 4 * FEWEST or not (np.ptp(feature) and np.ptp(answers)):
        return None
    rho = float(np.corrcoef(_ranks(feature)[0], _ranks(answers)[0])[0, 1])
    strength = 0.5 + abs(rho) / 2
    shown = f"{rho:.2f}" if abs(rho) < 0.995 else ("1.0" if abs(rho) > 0.9999 else f"{rho:.4f}")
    words = f"goes with it: rank correlation {shown}"
    return Telling(strength, abs(rho) * np.sqrt(len(feature) - 1), words, "correlation", rho)


def determines(feature: Floats, codes: Integers) -> float:
    """Find out how nearly a number determines a class, whatever the order of the classes.

    Records are put in the order of the number; it is how often neighbours are of one class, beyond
    how often any two records are.

    Parameters
    ----------
    feature : ndarray of float64, shape (records,)
        A number of each record, NaN where unknown.
    codes : ndarray of int64, shape (records,)
        Classes, -1 where unknown.

    Returns
    -------
    float
        1 where each class is a range of the number or has values of its own; about 0 by chance.

    Examples
    --------
    >>> codes = np.arange(60) % 3
    >>> determines(np.array([7.0, 5.0, 6.0])[codes], codes)
    1.0
    >>> abs(determines(np.arange(60) // 3 * 1.0, codes)) < 0.3
    True
    """
    known = (codes >= 0) & ~np.isnan(feature)
    feature, codes = feature[known], codes[known]
    counts = np.bincount(codes) if len(codes) else np.zeros(1)
    if (counts >= FEWEST).sum() < 2 or feature.min() == feature.max():
        return 0.0
    order = np.random.default_rng(0).permutation(len(codes))  # so that ties stand in any order
    order = order[np.argsort(feature[order], kind="stable")]
    changes = int((codes[order][1:] != codes[order][:-1]).sum())
    least = int((counts > 0).sum()) - 1
    chance = 1 - float(((counts / len(codes)) ** 2).sum())
    return 1 - max(changes - least, 0) / max((len(codes) - 1) * chance, 1e-9)


def _ranks(values: Floats) -> tuple[Floats, Floats]:
    """Rank from 1 on, equals by their mean; and how many are equal, for each different value."""
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.cumsum(counts) - (counts - 1) / 2
    return means[number], counts.astype(np.float64)


def _tie_factor(ties: Floats) -> float:
    """How much smaller the error is for ties."""
    total = float(ties.sum())
    lost = float((ties**3 - ties).sum())
    return float(np.sqrt(max(1 - lost / (total**3 - total), 0.0))) if total > 1 else 1.0
