"""What a search found: printable, drawable, with the model refitted on everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from recurra.tuning.confirming import Confirmation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Tuning", "ranking"]


@dataclass(frozen=True, eq=False)
class Tuning:
    """The configuration that a search has taken, and all that were tried.

    Parameters
    ----------
    estimator : str
        The class.
    measure : str
        What trials were scored by.
    greater : bool
        Whether more of it is better.
    judged_on : str
        What they were scored on.
    parameters : dict of str
        What is changed of the estimator as it was given; empty where the default was kept.
    score : float
        Of the configuration that was taken, in the search.
    default_score : float
        Of the estimator as it was given, which is always the first trial; NaN if that one failed.
    trials : pandas.DataFrame
        A row for each trial: ``trial``, ``score``, ``state`` (``"finished"``, ``"stopped early"``,
        ``"failed"``, ``"running"``), ``seconds``, ``attempts``, ``error``, then the parameters.
    confirmations : tuple of Confirmation
        How the best trials compare with the default on fresh parts, in the order of the search,
        until one is taken; none where no trial scores better than the default, or the default
        failed.
    model : estimator or None
        With that configuration, fitted to all data; None where that was not wanted.

    Examples
    --------
    >>> trials = pd.DataFrame({"trial": [0, 1], "score": [0.5, 0.4], "state": "finished"})
    >>> found = Tuning("Regressor", "RMSE", False, "5 folds, of 50 records", {"hidden_size": 32},
    ...                0.4, 0.5, trials.assign(seconds=2.0, attempts=1, error=""),
    ...                (Confirmation(1, 0.08, 0.05, 15, 15, 30.0),))
    >>> print(found)
    Regressor: 2 trials (2 finished), 4 s in all
    RMSE, less is better, on 5 folds, of 50 records
      default  0.5
      best     0.4  trial 1
    Trained again beside the default (30 s):
      trial 1 gains 0.08 (standard error 0.05) on 15 fresh parts: taken
    with
      hidden_size  32
    """

    estimator: str
    measure: str
    greater: bool
    judged_on: str
    parameters: dict[str, Any]
    score: float
    default_score: float
    trials: pd.DataFrame
    confirmations: tuple[Confirmation, ...] = ()
    model: Any = None

    @property
    def best(self) -> int:
        """Which trial scores best in the search, whether it was taken or not: its number."""
        return ranking(self.trials, self.greater)[0]

    def __str__(self) -> str:
        counts = self.trials["state"].value_counts(sort=False)
        states = ", ".join(f"{count} {state}" for state, count in counts.items())
        spent = self.trials["seconds"].sum()
        best = self.best
        score = self.trials.set_index("trial")["score"][best]
        lines = [
            f"{self.estimator}: {len(self.trials)} trials ({states}), {spent:.0f} s in all",
            self._scored,
            f"  default  {self.default_score:.6g}",
            f"  best     {score:.6g}  trial {best}",
            *self._decision(),
        ]
        if self.parameters:
            wide = max(map(len, self.parameters))
            lines.append("with")
            lines += [f"  {n.ljust(wide)}  {_shown(v)}" for n, v in self.parameters.items()]
        return "\n".join([*lines, *self._failures()])

    def plot(self) -> Figure:
        """Draw the scores in the order of the trials, and the best so far.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``figure.savefig("tuning.png")``, or as ``.svg``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        from recurra.tuning.picture import draw

        return draw(self.trials, self.greater, f"{self.estimator}: {self._scored}")

    @property
    def _scored(self) -> str:
        way = "more" if self.greater else "less"
        return f"{self.measure}, {way} is better, on {self.judged_on}"

    def _decision(self) -> list[str]:
        """Say what was taken, and why."""
        if not self.confirmations:
            if self.best == 0:
                return ["No trial scores better than the default: kept the default."]
            return [
                "The default failed, so nothing confirms the best. Expect less of it on new data: "
                "the best of",
                "several is lucky, too.",
            ]
        spent = sum(each.seconds for each in self.confirmations)
        told = [line for each in self.confirmations for line in str(each).splitlines()]
        lines = [f"Trained again beside the default ({spent:.0f} s):", *(f"  {x}" for x in told)]
        if self.confirmations[-1].holds:
            return lines
        more = any(each.cut_short for each in self.confirmations)
        advice = " Give more seconds, or call again on the same storage." if more else ""
        return [*lines, f"Kept the default.{advice}"]

    def _failures(self) -> list[str]:
        failed = self.trials[self.trials["state"] == "failed"]
        lines = [
            f"note: trial {row.trial} failed: {row.error}"
            for row in failed.head(3).itertuples(index=False)
        ]
        return lines + ([f"note: … and {len(failed) - 3} more."] if len(failed) > 3 else [])


def ranking(trials: pd.DataFrame, greater: bool) -> list[int]:
    """Order the trials that were finished by their scores.

    Parameters
    ----------
    trials : pandas.DataFrame
        As in `Tuning`.
    greater : bool
        Whether more is better.

    Returns
    -------
    list of int
        Their numbers, the best first; of equals the earlier.

    Examples
    --------
    >>> trials = pd.DataFrame({"trial": [0, 1, 2], "score": [0.5, 0.4, 0.4], "state": "finished"})
    >>> ranking(trials, greater=False)
    [1, 2, 0]
    """
    done = trials[trials["state"] == "finished"]
    order = done.sort_values("score", ascending=not greater, kind="stable")
    return [int(each) for each in order["trial"]]


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
