"""What was learned, and how good the answers are beside those of a simple model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["Report", "Score", "beside", "is_greater_better"]

GREATER = ("accuracy", "span F1", "exact answers", "log-likelihood", "texts right", "R²")
"""Of which more is better; of all else less is."""


@dataclass(frozen=True)
class Score:
    """How good the answers of one model are.

    Parameters
    ----------
    model : str
        Which model: ``"Classifier"``, or a simple one: ``"most frequent label"``.
    measure : str
        What is measured: ``"accuracy"``.
    value : float
        The measure.
    """

    model: str
    measure: str
    value: float


@dataclass(frozen=True)
class Report:
    """What an estimator learned from, and its scores beside a simple model's.

    Parameters
    ----------
    estimator : str
        The class.
    records : int
        How many were learned from.
    held_back : int
        How many the training was stopped by, and the scores are of; 0 where the scores are of the
        records that were learned from.
    scores : tuple of Score
        The estimator's own first.
    steps : int
        Optimizer steps.
    seconds : float
        Time they took.
    notes : tuple of str
        What the data needed, with counts.

    Examples
    --------
    >>> scores = (Score("Classifier", "accuracy", 0.9), Score("most frequent", "accuracy", 0.5))
    >>> print(Report("Classifier", 85, 15, scores, 300, 2.0, ("3 values were missing.",)))
    Classifier: 85 records learned from in 300 steps (2.0 s)
    on 15 records held back  accuracy
      Classifier               0.9000
      most frequent            0.5000
    note: 3 values were missing.
    """

    estimator: str
    records: int
    held_back: int
    scores: tuple[Score, ...]
    steps: int
    seconds: float
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        took = f"in {self.steps} steps ({self.seconds:.1f} s)"
        where = self._where
        measures = list(dict.fromkeys(each.measure for each in self.scores))
        models = list(dict.fromkeys(each.model for each in self.scores))
        wide = max([len(where), *(len(model) + 2 for model in models)])
        values = {(each.model, each.measure): f"{each.value:.4f}" for each in self.scores}
        columns = {m: max(len(v) for (_, n), v in values.items() if n == m) for m in measures}
        columns = {m: max(len(m), width) for m, width in columns.items()}
        rows = [
            f"  {model}".ljust(wide)
            + "".join(f"  {values.get((model, m), ''):>{w}}" for m, w in columns.items())
            for model in models
        ]
        head = where.ljust(wide) + "".join(f"  {m:>{w}}" for m, w in columns.items())
        lines = [f"{self.estimator}: {self._amount} learned from {took}"]
        lines += [head, *rows] if rows else []
        return "\n".join(each.rstrip() for each in [*lines, *(f"note: {n}" for n in self.notes)])

    @property
    def _amount(self) -> str:
        """How much was learned from."""
        return f"{self.records} records"

    @property
    def _where(self) -> str:
        """What the scores are of."""
        if self.held_back:
            return f"on {self.held_back} records held back"
        return "on the records learned from"

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Make a report again of what JSON held.

        Parameters
        ----------
        told : dict of str
            Its fields.

        Returns
        -------
        Report
            The same.
        """
        scores = tuple(Score(**each) for each in told["scores"])
        return cls(**{**told, "scores": scores, "notes": tuple(told["notes"])})


def is_greater_better(measure: str) -> bool:
    """Say whether more of a measure is better.

    Parameters
    ----------
    measure : str
        Its name; of one of several targets ``"accuracy of fate"``.

    Returns
    -------
    bool
        True for accuracy, False for an error.

    Examples
    --------
    >>> is_greater_better("accuracy of fate"), is_greater_better("RMSE")
    (True, False)
    """
    return measure in GREATER or any(measure.startswith(f"{each} of ") for each in GREATER)


def beside(own: Score, simple: Sequence[Score]) -> str:
    """Compare a score with the best of simple models.

    Parameters
    ----------
    own : Score
        That of the model.
    simple : sequence of Score
        Those of the others, one or more, by the same measure.

    Returns
    -------
    str
        Half a sentence.

    Examples
    --------
    >>> beside(Score("LSTM", "MASE", 0.8), [Score("Naive", "MASE", 1.2)])
    'better than 1.2 of Naive'
    """
    from recurra.auditing.phrases import number  # with pandas, which no first fit waits for

    sign = 1 if is_greater_better(own.measure) else -1
    best = max(simple, key=lambda each: sign * each.value)
    how = "better than" if sign * own.value > sign * best.value else "no better than"
    return f"{how} {number(best.value)} of {best.model}"
