"""Whether the best of a search is better than the default where neither was chosen.

The highest of many noisy scores is high by luck, too. So the best trial and the default learn
again, in pairs: from the same fresh parts of the data, and from the same fresh seeds. The best is
taken if it gains more than half a standard error there; if not, the next best is compared so, and
the third. Parts of the same data share records, which makes their mean look surer than it is; the
standard error is corrected for that (Nadeau & Bengio 2003). Each trial is compared by itself, on
parts of its own, so that its gain there is no lucky one of several. Half of an error loses least in
the long run: 0 takes too much that is worse where scores are noisy, 1 leaves too much that is
better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from recurra.tuning.configured import configured
from recurra.tuning.judging import Judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recurra.tuning.board import Attempt, Board

__all__ = ["RIVALS", "SHARE", "Confirmation", "confirm", "count_pairs", "standard_error"]

RIVALS = 3  # trials that are compared with the default, one after the other, until one is taken
SHARE = 0.2  # of the trainings of a search for each of them; of its time for all
ENOUGH = 0.5  # standard errors
FEWEST, MOST = 3, 20  # pairs: with fewer their spread says nothing, more make it hardly surer


@dataclass(frozen=True)
class Confirmation:
    """How a trial of a search compares with the default on fresh parts of the data.

    Parameters
    ----------
    trial : int
        Which trial it is.
    gain : float
        Mean of what it gains over the default, in units of the score; positive is better. NaN if
        nothing was compared.
    error : float
        Standard error of the mean, corrected for the records that parts share; NaN of too few.
    pairs : int
        On how many parts both were scored.
    wanted : int
        On how many they were to be.
    seconds : float
        What that took, in all processes together.
    failure : str
        What the trial raised on a part, or the default on so many that too few are left.

    Examples
    --------
    >>> print(Confirmation(12, 0.004, 0.006, 15, 15, 80.0))
    trial 12 gains 0.004 (standard error 0.006) on 15 fresh parts: taken
    """

    trial: int
    gain: float
    error: float
    pairs: int
    wanted: int
    seconds: float
    failure: str = ""

    @property
    def cut_short(self) -> bool:
        """Whether so little of it was done in the time there was that it tells nothing."""
        return not self.failure and self.pairs < FEWEST

    @property
    def holds(self) -> bool:
        """Whether the trial is better than the default by more than half a standard error."""
        return not self.failure and self.gain > ENOUGH * self.error  # NaN is not

    def __str__(self) -> str:
        name = f"trial {self.trial}"
        if self.failure:
            return f"{name} or the default failed on fresh parts: not taken\n{self.failure}"
        if self.cut_short:
            done = f"{self.pairs} of {self.wanted}"
            return f"{name} and the default were scored on {done} fresh parts alone: not taken"
        change = f"{'gains' if self.gain >= 0 else 'loses'} {abs(self.gain):.3g}"
        told = f"{name} {change} (standard error {self.error:.3g}) on {self.pairs} fresh parts"
        return f"{told}: {'taken' if self.holds else 'not taken'}"


def count_pairs(trials: int, trainings: int) -> int:
    """Say on how many fresh parts two configurations are compared.

    Parameters
    ----------
    trials : int
        Of the search.
    trainings : int
        Of each.

    Returns
    -------
    int
        So many that they take a fifth of the trainings of the search, but 3 at least and 20 at
        most.

    Examples
    --------
    >>> count_pairs(30, 5), count_pairs(30, 1), count_pairs(1000, 5)
    (15, 3, 20)
    """
    return min(MOST, max(FEWEST, int(SHARE * trials * trainings / 2)))


def standard_error(gains: np.ndarray, share: float) -> float:
    """Estimate how far a mean over parts of the same data is from that over other data.

    Parameters
    ----------
    gains : ndarray, shape (parts,)
        On each part.
    share : float
        Of the data held out in each, below 1.

    Returns
    -------
    float
        In units of the gains; NaN of fewer than three.

    References
    ----------
    Nadeau & Bengio (2003), Inference for the generalization error, Machine Learning 52.

    Examples
    --------
    >>> standard_error(np.array([0.0, 2.0, 4.0, 2.0]), 0.5)  # 1.63 · √(1/4 + 1)
    1.8257418583505538
    """
    if len(gains) < FEWEST:
        return math.nan
    return float(np.std(gains, ddof=1) * math.sqrt(1 / len(gains) + share / (1 - share)))


def confirm(
    estimator: Any,
    judge: Judge,
    rival: tuple[int, Mapping[str, Any]],
    board: Board,
    pairs: int,
    deadline: float | None,
    disable: bool | None,
) -> Confirmation:
    """Compare a trial with the default on fresh parts.

    Processes that search together share the work, and a comparison that was cut short is gone on
    with: each training is written down beside the study.

    Parameters
    ----------
    estimator : estimator
        The default.
    judge : Judge
        Who scored the trials.
    rival : tuple of int and dict of str
        The trial's number, and what it changes of the estimator.
    board : Board
        Of the search.
    pairs : int
        On how many parts.
    deadline : float or None
        When the time is up, by `time.monotonic`: what is scored by then counts.
    disable : bool or None
        Whether no bar is shown; None for only in a terminal or a notebook.

    Returns
    -------
    Confirmation
        What came of it.
    """
    from recurra.tuning.board import Board
    from recurra.tuning.storage import open_study
    from recurra.tuning.watching import Watch
    from recurra.tuning.working import Work

    trial, changes = rival
    seed = int(np.random.SeedSequence([board.seed, trial]).generate_state(1)[0]) // 2

    def score(attempt: Attempt, until: float | None) -> float:
        part, of_trial = divmod(attempt.place, 2)
        model = configured(estimator, changes if of_trial else {}, progress=False)
        watch = Watch(attempt.trial, judge.greater, pruning=False, deadline=until)
        return judge.fresh(part, seed).score(model.set_params(seed=seed + part), watch)

    name = f"{board.study}: trial {trial} beside the default"
    open_study(board.storage, name, {"search": board.study}, judge.greater)
    beside = Board(name, board.storage, {}, {}, 2 * pairs, board.seed)
    with tqdm(total=2 * pairs, desc="confirming", unit="training", disable=disable) as bar:
        Work(beside, score, deadline).run(bar)
    return _compared(beside, trial, judge, pairs)


def _compared(board: Board, trial: int, judge: Judge, pairs: int) -> Confirmation:
    """Read what a board of pairs holds: the default at even places, the trial at odd ones."""
    from recurra.tuning.board import ERROR

    counted = {place: each for place, each in board.counted().items() if place < 2 * pairs}
    values = np.full((pairs, 2), np.nan)
    for place, each in counted.items():
        if each.value is not None:
            values[divmod(place, 2)] = each.value
    gains = (values[:, 1] - values[:, 0]) * (1 if judge.greater else -1)
    gains = gains[np.isfinite(gains)]
    errors = [
        each.user_attrs[ERROR]
        for place, each in counted.items()
        if ERROR in each.user_attrs and (place % 2 or len(gains) < FEWEST)
    ]
    return Confirmation(
        trial=trial,
        gain=float(gains.mean()) if len(gains) else math.nan,
        error=standard_error(gains, judge.share),
        pairs=len(gains),
        wanted=pairs,
        seconds=sum(e.duration.total_seconds() for e in counted.values() if e.duration),
        failure=next(iter(errors), ""),
    )
