"""Judges: they train a configuration on one part of the data, and score it on another."""

from __future__ import annotations

from typing import Any, Protocol

from recurra.errors import OptionError
from recurra.estimators import Forecaster
from recurra.estimators.learning.learner import Learner
from recurra.tuning.judging_forecasts import ForecastJudge
from recurra.tuning.judging_records import RecordJudge
from recurra.tuning.onlooker import Onlooker
from recurra.tuning.resampling import Folds, HeldOut, Origins

__all__ = ["Judge", "check_estimator", "judge_for"]


class Judge(Protocol):
    """What a search asks: how good a configuration is, on what, and whether more is better."""

    @property
    def measure(self) -> str:
        """What is scored."""

    @property
    def greater(self) -> bool:
        """Whether more is better."""

    @property
    def told(self) -> str:
        """What it is judged on, in words."""

    @property
    def digest(self) -> str:
        """Tells the data from others."""

    @property
    def trainings(self) -> int:
        """How many a score takes."""

    @property
    def share(self) -> float:
        """How much of the data each of them is scored on."""

    def score(self, model: Any, onlooker: Onlooker) -> float:
        """Train a model that is not fitted, and score it."""

    def fresh(self, part: int, seed: int) -> Judge:
        """Make a judge of one training, on another part of the same data: the n-th by a seed."""


def judge_for(
    estimator: Any, data: tuple[Any, Any, dict[str, Any]], metric: str | None, by: Any
) -> Judge:
    """Make the judge that suits an estimator; the data are read here, once.

    Parameters
    ----------
    estimator : estimator
        What is tuned.
    data : tuple of X, y and further arguments of its ``fit``
        As the user gave them.
    metric : str or None
        What is measured.
    by : HeldOut, Folds, Origins or None
        On what.

    Returns
    -------
    Judge
        Ready.

    Raises
    ------
    OptionError
        If `by` is not for it.
    """
    if isinstance(estimator, Forecaster):
        if by is not None and not isinstance(by, Origins):
            raise OptionError(f"by={by!r}, but a Forecaster is judged by Origins(h=…, n_windows=…)")
        return ForecastJudge.of(estimator, data, metric, by)
    if by is not None and not isinstance(by, HeldOut | Folds):
        raise OptionError(f"by={by!r}, but records are judged by HeldOut(0.2) or Folds(5).")
    return RecordJudge.of(estimator, data, metric, by)


def check_estimator(estimator: Any) -> None:
    """Refuse what cannot be tuned.

    Parameters
    ----------
    estimator : object
        What came.

    Raises
    ------
    OptionError
        If it is no estimator of this library.
    """
    if not isinstance(estimator, Learner | Forecaster):
        raise OptionError(
            f"{estimator!r} is a {type(estimator).__name__}, but an estimator of recurra is tuned, "
            "such as recurra.Classifier()."
        )
