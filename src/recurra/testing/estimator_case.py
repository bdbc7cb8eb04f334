"""An estimator and the tiny data that its laws are checked on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sklearn.base import clone

from recurra.errors import OptionError
from recurra.estimators.learning.learner import Learner
from recurra.testing.answers import count, pick

__all__ = ["ANSWERS", "EstimatorCase"]

ANSWERS = (
    "predict",
    "predict_proba",
    "log_likelihoods",
    "score_samples",
    "transcribe",
)
"""Methods that take records and answer for each of them, where an estimator has them."""


@dataclass(frozen=True)
class EstimatorCase:
    """An estimator and the tiny data that its laws are checked on.

    Parameters
    ----------
    estimator : Learner
        Not fitted, tiny, and trained in few steps: it is fitted some twenty times.
    X : SequenceDataset, list, ndarray, or dict of str to these
        Forty records or more, of unequal lengths.
    y : list, ndarray or dict of str to these, optional
        What is to be learnt, unless the records themselves are.
    answers : tuple of str, optional
        The methods that answer for each record, called with records alone; by default those of
        `ANSWERS` that it has.
    wrong : dict of str to (X, y)
        Data that `fit` has to refuse, by what is wrong with them.
    unseen : (X, y), optional
        Data that a fitted estimator cannot learn from, since it never saw their like: another
        label, say.
    follow : callable, optional
        ``follow(fitted, record)`` goes through ``fitted.stream()`` step by step with one record,
        and returns what it said and what the full pass says. Without it, ``stream()`` has to
        refuse with an `OptionError`.
    without : dict of str to str
        Laws that do not apply, by name, and why.

    Examples
    --------
    >>> from recurra import Regressor, Training
    >>> model = Regressor(hidden_size=2, training=Training(steps=2), validation=0.0)
    >>> case = EstimatorCase(model, [[1.0], [2.0, 3.0]] * 20, [1.0, 2.5] * 20)
    >>> case.methods, case.records
    (('predict',), 40)
    """

    estimator: Learner
    X: Any
    y: Any = None
    answers: tuple[str, ...] | None = None
    wrong: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    unseen: tuple[Any, Any] | None = None
    follow: Callable[[Any, Any], tuple[Any, Any]] | None = None
    without: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no estimator, or has nothing to answer with."""
        given: object = self.estimator
        if not isinstance(given, Learner):
            came = type(given).__name__
            raise OptionError(f"An estimator of recurra's kind is checked, but a {came} came.")
        if not self.methods:
            known = ", ".join(ANSWERS)
            raise OptionError(f"It has none of {known}: say which methods answer, answers=(...).")

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that answer for each record."""
        if self.answers is not None:
            return self.answers
        return tuple(name for name in ANSWERS if hasattr(self.estimator, name))

    @property
    def records(self) -> int:
        """How many records there are."""
        return count(self.X)

    @cached_property
    def _fitted(self) -> Learner:
        return self.make().fit(*self.data())

    def make(self, **options: Any) -> Learner:
        """Give an estimator that is not fitted.

        Parameters
        ----------
        **options
            Parameters of its own, in place of those of the case.

        Returns
        -------
        Learner
            A new one.
        """
        made: Learner = clone(self.estimator)
        made.set_params(**options)
        return made

    def fitted(self) -> Any:
        """Give an estimator that has learned from all records.

        Returns
        -------
        Learner
            A copy, which a law may change.
        """
        return deepcopy(self._fitted)

    def data(self, places: Any = None) -> tuple[Any, Any]:
        """Give records and what is to be learnt of them.

        Parameters
        ----------
        places : sequence of int, optional
            Which, in the order wanted; all by default.

        Returns
        -------
        X, y : object
            As `fit` takes them.
        """
        if places is None:
            return self.X, self.y
        return pick(self.X, places), pick(self.y, places)

    def ask(self, model: Any, X: Any = None) -> dict[str, Any]:
        """Ask a fitted estimator about records, in every way it answers.

        Parameters
        ----------
        model : Learner
            Fitted.
        X : object, optional
            The records; all by default.

        Returns
        -------
        dict of str
            What each method said.
        """
        asked = self.X if X is None else X
        return {name: getattr(model, name)(asked) for name in self.methods}
