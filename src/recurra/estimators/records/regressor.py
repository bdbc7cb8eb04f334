"""One number, or several, for each record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from recurra.artifact import take
from recurra.data.tables.notes import tell
from recurra.errors import DataError, OptionError
from recurra.estimators.learning.record_targets import answers_of, numbers_of_labels
from recurra.estimators.learning.report import Score
from recurra.estimators.learning.restoring import agree
from recurra.estimators.learning.shown import Shown
from recurra.estimators.learning.simple_models import linear_regressor, sample
from recurra.estimators.records.imitated import place_of_target
from recurra.estimators.records.record_estimator import RecordEstimator
from recurra.estimators.records.wanted import Wanted, chosen_answer, number, refuse_step
from recurra.estimators.records.worth_a_look import shown_numbers

if TYPE_CHECKING:
    from sklearn.utils import Tags
    from torch import Tensor

    from recurra.data import SequenceDataset
    from recurra.explaining.surrogates import Answers
    from recurra.types import Floats

__all__ = ["Regressor"]


class Regressor(RecordEstimator):
    """Says one number, or several, for each record: a recurrent network over its steps.

    Numbers that are unknown (NaN) in `y` count in no loss. Parameters and attributes are those of
    `Classifier`; the loss is the squared error, in standard deviations of each output.

    Examples
    --------
    >>> from recurra import Regressor, Training
    >>> X = [[0.0, 1.0], [1.0, 2.0, 3.0], [4.0], [2.0, 2.0]] * 5
    >>> y = [sum(x) for x in X]
    >>> model = Regressor(hidden_size=8, training=Training(steps=200)).fit(X, y)
    >>> model.predict([[1.0, 2.0, 3.0]]).round().shape
    (1,)
    """

    def predict(self, X: Any, **how: Any) -> Floats:
        """Say the numbers of each record.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        ndarray of float64, shape (records,) or (records, outputs)
            In the units of `y`; NaN for a record of which nothing is known.
        """
        (raw,) = self._raw(X, **how).values()
        numbers: Floats = raw * self._spread + self._centre
        return numbers[:, 0] if len(self._centre) == 1 else numbers

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the share of the variance that is explained.

        Parameters
        ----------
        X : as for `fit`
            The records.
        y : array-like, shape (records,) or (records, outputs), optional
            Their numbers; not needed where the data set brings them.
        sample_weight : array-like, shape (records,), optional
            How much each record counts.

        Returns
        -------
        float
            R², 1 at most.
        """
        from sklearn.metrics import r2_score

        truth = answers_of(X) if y is None else y
        return float(r2_score(truth, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Tags:
        """Say to scikit-learn that it is a regressor, and may have several outputs."""
        from sklearn.utils import RegressorTags

        tags = super().__sklearn_tags__()
        tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        tags.target_tags.multi_output = True
        return tags

    def _prepared(self, dataset: SequenceDataset) -> SequenceDataset:
        """Check that there are numbers for each record."""
        target = dataset.target
        if target.level != "record":
            raise OptionError(
                f"A Regressor learns numbers of a record, not of each {target.level}."
            )
        return self._recoded(dataset)

    def _recoded(self, dataset: SequenceDataset) -> SequenceDataset:
        """Take integers that were read as labels for numbers."""
        (name,) = dataset.targets
        return replace(dataset, targets={name: numbers_of_labels(dataset.target, name)})

    def _ready(self, kept: SequenceDataset) -> tuple[str, ...]:
        """Learn the scale of each output from the training part; tell of those that never vary."""
        values, outputs = kept.target.values, kept.target.outputs
        known = kept.target.observed.any(0)
        if not known.all():
            name = outputs[int(np.argmin(known))]
            message = "No record that is learned from has a known value of this output"
            raise DataError(message, code="all_missing", column=name, hint="Leave the output out.")
        least = np.nanmin(values, 0)
        constant = least == np.nanmax(values, 0)
        self._centre = np.where(constant, least, np.nanmean(values, 0))
        self._spread = np.where(constant, 0.0, np.nanstd(values, 0))
        constants = (
            tell(f"The target {name!r} is always {value:g}, and so will be every answer.")
            for name, value, same in zip(outputs, least, constant, strict=True)
            if same
        )
        return (*super()._ready(kept), *constants)

    def _scaled(self, dataset: SequenceDataset) -> SequenceDataset:
        """Write the targets in standard deviations."""
        (name,) = dataset.targets
        target = dataset.target
        values = (target.values - self._centre) / np.where(self._spread > 0, self._spread, 1.0)
        return replace(dataset, targets={name: replace(target, values=values)})

    def _scores(self, part: SequenceDataset) -> list[Score]:
        truth = part.target.values
        return _errors(type(self).__name__, truth, self.predict(part).reshape(truth.shape))

    def _baseline(self, kept: SequenceDataset, part: SequenceDataset) -> list[Score]:
        few, truth = sample(kept), part.target.values
        mean = np.nanmean(kept.target.values, 0)
        known = np.where(few.target.observed, few.target.values, mean)
        linear = linear_regressor(few, known, part)
        always = _errors("the mean", truth, np.broadcast_to(mean, truth.shape))
        return [*always, *_errors("ridge regression on summaries", truth, linear)]

    def _wanted(
        self, target: Any, answer: str | None, step: int | None, raw: Mapping[str, Tensor]
    ) -> Wanted:
        name = chosen_answer(raw, answer)
        refuse_step(step)
        return number(name, self._centre, self._spread, target)

    def _imitated(self, dataset: SequenceDataset, target: object) -> Answers:
        """Say one number, in the units of `y`; of several outputs one, named by its place."""
        from recurra.explaining.surrogates import Answers

        place = place_of_target(target, range(len(self._centre)))
        (raw,) = self._raw(dataset).values()
        said = "the number" if len(self._centre) == 1 else f"number {place}"
        return Answers(said, raw[:, place] * self._spread[place] + self._centre[place])

    def _numbers_for(self, dataset: SequenceDataset) -> dict[str, Floats]:
        """Say each number, in the units of `y`."""
        numbers = self.predict(dataset).reshape(len(dataset), -1)
        if numbers.shape[1] == 1:
            return {"number": numbers[:, 0]}
        return {f"number {place}": column for place, column in enumerate(numbers.T)}

    def _said(self, raw: dict[str, Floats]) -> Floats:
        (numbers,) = raw.values()
        answer: Floats = numbers[0] * self._spread + self._centre
        return answer

    def _worth_a_look(self, dataset: SequenceDataset) -> list[Shown]:
        """Choose answers that are explained; of several outputs of the first."""
        truth = dataset.target.values
        found = shown_numbers(self.predict(dataset).reshape(truth.shape), truth)
        return (
            found if truth.shape[1] == 1 else [each._replace(asked={"target": 0}) for each in found]
        )

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "centre": self._centre, "spread": self._spread}

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        super()._restore_state(state)
        told = take(_State, state, "header.learned")
        self._centre, self._spread = np.array(told["centre"]), np.array(told["spread"])
        (answer,) = self.network_.plan.answers.values()
        for numbers in (self._centre, self._spread):
            agree(numbers.size, answer.outputs, "targets with a scale")
        agree(answer.classes, 0, "classes of numbers")


class _State(TypedDict):
    """What was learned besides the network, as JSON holds it."""

    units: dict[str, str]
    centre: list[float]
    spread: list[float]


def _errors(model: str, truth: Floats, answers: Floats) -> list[Score]:
    """Measure the errors of answers, where both are known."""
    errors = (answers - truth)[~np.isnan(truth) & ~np.isnan(answers)]
    if not errors.size:
        return []
    rmse, mae = float(np.sqrt((errors**2).mean())), float(np.abs(errors).mean())
    return [Score(model, "RMSE", rmse), Score(model, "MAE", mae)]
