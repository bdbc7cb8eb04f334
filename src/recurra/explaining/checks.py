"""Whether an explanation can be believed: the checks that come with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recurra.auditing.phrases import number, percent, plural
from recurra.explaining.regions import Region, answers_without

if TYPE_CHECKING:
    from recurra.explaining.question import Question
    from recurra.types import Array, Floats

__all__ = ["Checks", "Deletion", "deletion", "off", "rank_correlation"]

POINTS, ORDERS = 20, 4  # of a deletion curve, and random orders beside it
SHOWN = 0.1  # of the parts are taken away in what is said of the curve
ALIKE, APART = 0.7, 0.3  # rank correlations
LOOKED_AT = 8  # parts that are taken away anew
FEWEST = 10  # scores whose ranks say something
CLOSE = 0.1  # of the largest score
ROUNDING = 1e-4  # of the largest score
DIGITS = 2  # of scores, as shares of the largest


@dataclass(frozen=True, eq=False)
class Deletion:
    """The answer while parts of the record are taken away, the highest-ranked first.

    Attributes
    ----------
    counts : ndarray of int64, shape (points,)
        How many parts are away, from none to all.
    answers : ndarray, shape (points,)
        The answers.
    random : ndarray, shape (points,)
        The mean of the answers where parts are taken away in random orders.
    """

    counts: Array
    answers: Floats
    random: Floats

    @property
    def area(self) -> float:
        """How much of the way from the baseline's answer is left, on the mean; less is better."""
        return _area(self.answers)

    @property
    def random_area(self) -> float:
        """The same for random orders."""
        return _area(self.random)

    def __str__(self) -> str:
        at = int(np.searchsorted(self.counts, max(SHOWN * self.counts[-1], 1)))
        taken, total = int(self.counts[at]), int(self.counts[-1])
        first, then, by_chance = (
            number(float(each)) for each in (self.answers[0], self.answers[at], self.random[at])
        )
        what = "the highest" if taken == 1 else f"the {taken:,} highest"
        return (
            f"without {what} of {plural(total, 'part')} the answer goes from {first} to {then}; "
            f"without as many at random, to {by_chance}"
        )


@dataclass(frozen=True, eq=False)
class Checks:
    """What was checked of an explanation.

    Attributes
    ----------
    completeness : float, optional
        How far the scores are from adding up to the change of the answer, as a share of it; see
        `recurra.explaining.gradients.miss`. None where a method does not promise that.
    deletion : Deletion
        The answer while the highest-ranked parts are taken away.
    randomised : float
        Rank correlation with the explanation of a network of the same make with random weights
        (Adebayo et al. 2018, arXiv:1810.03292): of the sizes of the scores; near 0 where they tell
        of what was learned. NaN where there is too little to rank.
    off : float, optional
        How far scores are off where not every part was taken away by itself; see `off`. None where
        they were, or nothing was taken away.
    """

    completeness: float | None
    deletion: Deletion
    randomised: float
    off: float | None = None

    def __str__(self) -> str:
        lines = [f"deletion: {self.deletion}."]
        if self.completeness is not None:
            lines.insert(0, f"completeness: {_said_of_sums(self.completeness)}.")
        if not np.isnan(self.randomised):
            lines.append(f"random weights: {_said_of_ranks(self.randomised)}.")
        if self.off is not None:
            lines.append(f"taken away anew: {_said_of_parts(self.off)}.")
        return "\n".join(lines)


def deletion(
    question: Question, ranked: Sequence[Region], answer: float, baseline: float, seed: int
) -> Deletion:
    """Take parts away, the highest-ranked first, and in random orders.

    Parameters
    ----------
    question : Question
        What is asked.
    ranked : sequence of Region
        All parts, one or more, that first which brings the answer most of the way from the
        baseline.
    answer, baseline : float
        With all parts, and without any.
    seed : int
        Source of the random orders.

    Returns
    -------
    Deletion
        With 21 points at most.
    """
    chance, total = np.random.default_rng(seed), len(ranked)
    counts = np.unique(np.linspace(0, total, min(total, POINTS) + 1).round().astype(np.int64))
    orders = [np.arange(total), *(chance.permutation(total) for _ in range(ORDERS))]
    between = [[ranked[k] for k in order[:count]] for order in orders for count in counts[1:-1]]
    found = answers_without(question, between).reshape(len(orders), -1)
    ends = np.full(len(orders), answer), np.full(len(orders), baseline)
    curves = np.column_stack([ends[0], found, ends[1]])
    return Deletion(counts, curves[0], curves[1:].mean(0))


def off(
    question: Question, parts: Sequence[Region], scores: Floats, answer: float, seed: int
) -> float | None:
    """Take a few parts away anew, each by itself, and compare with their scores by occlusion.

    Parameters
    ----------
    question : Question
        What is asked.
    parts : sequence of Region
        All parts.
    scores : ndarray, shape (parts,)
        What the answer is said to lose without each.
    answer : float
        With all parts.
    seed : int
        Source of chance: which parts.

    Returns
    -------
    float or None
        The largest difference, as a share of the largest score; None where there is none but what
        rounding makes.
    """
    few = np.random.default_rng(seed).permutation(len(parts))[:LOOKED_AT]
    anew = answer - answers_without(question, [[parts[k]] for k in few])
    share = float(np.abs(anew - scores[few]).max(initial=0.0) / (np.abs(scores).max() or 1.0))
    return share if share > ROUNDING else None


def rank_correlation(first: Floats, second: Floats) -> float:
    """Compare the sizes of two sets of scores by their ranks (Spearman).

    Parameters
    ----------
    first, second : ndarray, shape (parts,)
        Scores of the same parts.

    Returns
    -------
    float
        -1 to 1, of the parts that score in either at least half a hundredth of its largest score:
        what is next to nothing by any network tells of no ranking. NaN where these are fewer than
        ten, or all are equal.

    Examples
    --------
    >>> round(rank_correlation(np.arange(12.0), -np.arange(12.0)), 6)
    1.0
    """
    from scipy.stats import rankdata

    sizes = [np.abs(each) for each in (first, second)]
    shares = np.stack([each / (each.max(initial=0.0) or 1.0) for each in sizes]).round(DIGITS)
    kept = shares[:, shares.any(0)]
    if kept.shape[1] < FEWEST:
        return np.nan
    ranks = [rankdata(each) for each in kept]
    if any(np.ptp(each) == 0 for each in ranks):
        return np.nan
    return float(np.corrcoef(*ranks)[0, 1])


def _area(answers: Floats) -> float:
    whole = answers[0] - answers[-1]
    return float(np.mean((answers - answers[-1]) / whole)) if whole else np.nan


def _said_of_sums(error: float) -> str:
    said = f"the scores add up to the change of the answer, but for {percent(error)}"
    return said if error <= 0.01 else f"{said}: too much to trust small scores"


def _said_of_ranks(correlation: float) -> str:
    said = f"rank correlation {correlation:.2f} with the scores of an untrained network"
    if abs(correlation) >= ALIKE:
        return f"{said}: much of this is the record, not what was learned"
    return said if abs(correlation) > APART else f"{said}: they tell of what was learned"


def _said_of_parts(share: float) -> str:
    said = f"some parts by chance are off by {percent(share)} of the largest score at most"
    return said if share <= CLOSE else f"{said}: small scores say little"
