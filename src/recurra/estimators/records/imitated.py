"""What can be asked of an estimator that answers for whole records: what its network is like."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recurra.data import SequenceDataset
from recurra.errors import DataWarning, OptionError, near
from recurra.estimators.learning.options import check_seed
from recurra.estimators.learning.record_batches import sampled
from recurra.estimators.records.record_states import RecordStates

if TYPE_CHECKING:
    from recurra.explaining.surrogates import Answers, Surrogate
    from recurra.types import Floats

__all__ = ["Imitated", "answers_of_labels", "place_of_target"]


class Imitated(RecordStates):
    """Compares a network with something simpler."""

    def surrogate(
        self,
        X: Any,
        kind: Literal["lasso", "svm", "tree"] = "lasso",
        around: Any = None,
        target: object = None,
        *,
        features: str | Sequence[str] | Mapping[str, int] = "auto",
        floor: float | None = None,
        seed: int = 0,
        **how: Any,
    ) -> Surrogate:
        """Imitate the network by a simple model of features that people understand.

        The simple model is fitted to what the network answers, not to what is true, and says how
        far it follows on records that it was not fitted to. Below a floor it is refused: an
        explanation that the network does not follow explains nothing.

        Around one record, parts of it are taken away at random: stretches of a channel take its
        mean in `X`, tokens are left out. The simple model then says what each part being there does
        to this one answer (Ribeiro et al. 2016).

        Parameters
        ----------
        X : as for `predict`
            Records; 40 or more. Of files, some thousand records.
        kind : {"lasso", "svm", "tree"}
            A line through as few features as will do, for numbers and for log odds; a plane between
            two labels; or a tree of at most three questions in a row, for labels and numbers.
        around : one record, as for `predict`, optional
            The record to stay near: ``[text]``, ``x[None]``.
        target : object, optional
            Which answer is imitated: of several labels one, told from all others; of several
            numbers a name or a place. Of two labels the second, where nothing is said.
        features : "auto", sequence of str, or dict of str to int
            Some of "statistics" (mean, last, least, largest, slope, share missing of a channel),
            "windows" (means of stretches), "lags" (the last steps) and "tokens" (whether a text has
            them), and how many: ``{"lags": 20}``. Around one record, it is its own parts.
        floor : float, optional
            The least fidelity: by default an R² of 0.5; or 0.8 of the labels, and half of those
            that the most usual label would get wrong.
        seed : int
            Source of chance.
        **how
            Further arguments of `recurra.data.from_arrays`, for all records given.

        Returns
        -------
        Surrogate
            To be printed, drawn, or written as a table.

        Raises
        ------
        SurrogateError
            If it does not follow the network; says how far, why not farther, and what to do.
        DataError
            If there are few records, or the network answers the same for all.
        OptionError
            If there is no such target, or the kind does not suit it.

        References
        ----------
        M. T. Ribeiro et al. 2016, "Why should I trust you?", arXiv:1602.04938. N. Meinshausen 2007,
        Relaxed Lasso, doi:10.1016/j.csda.2006.12.019.

        Examples
        --------
        >>> import numpy as np
        >>> from recurra import Regressor, Training
        >>> X = np.random.default_rng(0).normal(size=(200, 5, 3))
        >>> y = X[:, :, 1].sum(1)
        >>> model = Regressor(hidden_size=8, training=Training(steps=300)).fit(X, y)
        >>> model.surrogate(X, features=["statistics"]).features
        ('x1: mean',)
        """
        from recurra.explaining.surrogates import fit_surrogate, fit_surrogate_around

        check_seed(seed)
        dataset = self._to_ask(sampled(X, self.seed), how)
        if around is None:
            answers = self._answers_for(dataset, target)
            options: Any = {"features": features, "floor": floor, "seed": seed}
            return fit_surrogate(dataset, answers, kind, **options)
        record = self._one_to_ask(around, how, "around")
        target = self._nearest_target(record, target)
        return fit_surrogate_around(
            record,
            dataset,
            lambda variants: self._answers_for(variants, target),
            kind,
            floor=floor,
            seed=seed,
        )

    # ------------------------------------------------------------------ inside

    def _answers_for(self, dataset: SequenceDataset, target: object) -> Answers:
        """Say what the network answers; what is to be told of records was told."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            return self._imitated(dataset, target)

    def _nearest_target(self, record: SequenceDataset, target: object) -> object:  # noqa: ARG002
        """Choose what is asked about one record where nothing is said."""
        return target

    # ------------------------------------------------------------------ what a task says of itself

    @abstractmethod
    def _imitated(self, dataset: SequenceDataset, target: object) -> Answers:
        """Say what the network answers for records, as one number or as labels."""


def answers_of_labels(logits: Floats, classes: Sequence[object], target: object) -> Answers:
    """Say what is answered of one target of labels.

    Parameters
    ----------
    logits : ndarray, shape (records, classes)
        What the network says; NaN of records of which nothing is known.
    classes : sequence
        The labels.
    target : object
        One of them, told from all others; None for the second of two, and for labels as they are.

    Returns
    -------
    Answers
        Log odds and labels; no log odds of several labels, where none was named.
    """
    from recurra.auditing.phrases import quoted
    from recurra.explaining.surrogates import Answers

    unknown = np.isnan(logits).any(-1)
    places = np.argmax(np.nan_to_num(logits), -1)
    if target is not None and target not in classes:
        raise OptionError(f"target={target!r} is no label. {near(str(target), classes)}")
    named = target is not None
    if not named and len(classes) > 2:
        told = np.array([*classes, None], object)[np.where(unknown, len(classes), places)]
        return Answers("its labels", None, told, tuple(classes))
    target = target if named else classes[1]
    chosen = list(classes).index(target)
    others = np.delete(logits, chosen, -1)
    most = others.max(-1)
    rest = most + np.log(np.exp(others - most[:, None]).sum(-1))
    other = next(each for each in classes if each != target)
    pair = (other if len(classes) == 2 else f"not {target}", target)
    told = np.array([*pair, None], object)[np.where(unknown, 2, places == chosen)]
    return Answers(f"log odds of {quoted(target)}", logits[:, chosen] - rest, told)


def place_of_target(target: object, names: Sequence[object]) -> int:
    """Find an answer among several, by name or by place.

    Parameters
    ----------
    target : object
        The name or the place; None will do where there is one.
    names : sequence
        What they are called.

    Returns
    -------
    int
        The place.

    Raises
    ------
    OptionError
        If there is none such.
    """
    listed = ", ".join(map(repr, names))
    if target is None:
        if len(names) != 1:
            raise OptionError(f"There are several answers, {listed}: say which by target=.")
        return 0
    if target in names:
        return list(names).index(target)
    if isinstance(target, int) and not isinstance(target, bool) and 0 <= target < len(names):
        return target
    raise OptionError(f"target={target!r}, but the answers are {listed}.")
