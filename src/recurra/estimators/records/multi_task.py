"""Several answers at once, from one or more inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np
from torch import nn

from recurra.artifact import take
from recurra.data import Preprocessor, SequenceDataset
from recurra.data.treatments import Treatment
from recurra.errors import DataError, FileError, OptionError, near
from recurra.estimators.learning.record_inputs import as_dataset
from recurra.estimators.learning.record_targets import numbers_of_labels
from recurra.estimators.learning.report import Score
from recurra.estimators.learning.restoring import agree
from recurra.estimators.learning.shown import Shown, Sure
from recurra.estimators.learning.simple_models import linear_classifier, linear_regressor, sample
from recurra.estimators.learning.text_units import Unit
from recurra.estimators.records.imitated import answers_of_labels, place_of_target
from recurra.estimators.records.record_estimator import RecordEstimator
from recurra.estimators.records.task_answers import (
    Labels,
    Numbers,
    TaskAnswer,
    restored,
    task_answer,
)
from recurra.estimators.records.wanted import (
    Wanted,
    chosen_answer,
    chosen_step,
    log_odds,
    number,
    refuse_step,
)
from recurra.models.records.weighted_losses import WeightedLosses
from recurra.training import Training

if TYPE_CHECKING:
    from torch import Tensor

    from recurra.explaining.surrogates import Answers
    from recurra.types import Array, Floats

__all__ = ["MultiTask"]

MOST_SHOWN = 3  # targets whose answers a page explains


class MultiTask(RecordEstimator):
    """Learns several targets at once: labels or numbers, of whole records or of each step.

    Text, flags and integers in a target are labels, floats are numbers. What is unknown of a target
    (None, NaN) counts in no loss, so that records need not have all of them.

    Parameters
    ----------
    layer : {"gru", "lstm", "rnn", "grud"}
        The recurrent layer; so are the other options of the network those of `Classifier`.
    hidden_size, num_layers : int
        Units in a layer, and layers on layers.
    bidirectional : bool
        Whether it also reads backwards.
    pooling : str or sequence of str
        How the outputs of the steps become one vector.
    encoder_size : int, optional
        Width of what the encoder of each stream gives.
    shortcut : bool
        Whether answers for records have a linear part too.
    front : {"auto", "convolution"}, optional
        Causal convolutions before the layers, or beside them.
    skip : bool or "auto"
        Whether answers for records also read the mean and largest value of what the layers read.
    join : {"late", "concatenate", "gated"}
        How several streams meet; targets for each step read the stream they belong to.
    input_dropout, dropout, recurrent_dropout, channel_dropout : float
        Probabilities of dropping, while training.
    memory : int, optional
        The longest dependency that is looked for, in steps: the gates of LSTM and GRU layers begin
        with memories of many lengths up to it (Tallec & Ollivier 2018, arXiv:1804.11188).
    unit : {"auto", "word", "char"}
        What a step of a text is.
    weights : "uncertainty" or dict of str to float
        How much each target counts: learned from how uncertain it is (Kendall et al. 2018,
        arXiv:1705.07115); or fixed, by name, 1 for those not named.
    treatments : Preprocessor, sequence of Treatment or "auto"
        What is done to the data first.
    validation : float
        Share of the records, or groups, held back to stop the training.
    training : Training, optional
        How to train.
    warm_start : bool
        Whether `fit` goes on from the weights of the last `fit`.
    seed : int
        Source of all chance.

    Attributes
    ----------
    answers_ : dict of str to TaskAnswer
        The labels of each target, or its scale.

    Examples
    --------
    >>> from recurra import MultiTask, Training
    >>> inputs = {"pulse": [[60.0, 62.0], [90.0, 95.0, 99.0]] * 10}
    >>> targets = {"ill": ["no", "yes"] * 10, "fever": [36.5, 39.0] * 10}
    >>> model = MultiTask(hidden_size=8, training=Training(steps=80)).fit(inputs, targets)
    >>> answers = model.predict({"pulse": [[91.0, 97.0]]})
    >>> answers["ill"], answers["fever"].shape
    (array(['yes'], dtype=object), (1,))
    """

    def __init__(
        self,
        layer: Literal["lstm", "gru", "rnn", "grud"] = "gru",
        *,
        hidden_size: int = 64,
        num_layers: int = 1,
        bidirectional: bool = False,
        pooling: str | Sequence[str] = ("last", "mean", "max"),
        encoder_size: int | None = None,
        shortcut: bool = False,
        front: Literal["auto", "convolution"] | None = "auto",
        skip: bool | Literal["auto"] = "auto",
        join: Literal["late", "concatenate", "gated"] = "late",
        input_dropout: float = 0.1,
        dropout: float = 0.3,
        recurrent_dropout: float = 0.0,
        channel_dropout: float = 0.0,
        memory: int | None = None,
        unit: Unit = "auto",
        weights: Literal["uncertainty"] | Mapping[str, float] = "uncertainty",
        treatments: Preprocessor | Sequence[Treatment] | Literal["auto"] = "auto",
        validation: float = 0.15,
        training: Training | None = None,
        warm_start: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(
            layer,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bidirectional=bidirectional,
            pooling=pooling,
            encoder_size=encoder_size,
            shortcut=shortcut,
            front=front,
            skip=skip,
            join=join,
            input_dropout=input_dropout,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            channel_dropout=channel_dropout,
            memory=memory,
            unit=unit,
            treatments=treatments,
            validation=validation,
            training=training,
            warm_start=warm_start,
            seed=seed,
        )
        self.weights = weights

    def predict(self, X: Any, **how: Any) -> dict[str, Any]:
        """Answer for each record.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        dict of str to ndarray, or list of these
            By target: labels or numbers, shape (records,) or (records, outputs); of a target for
            each step a list, one array for each record. None and NaN where nothing is known.
        """
        raw = self._raw(X, **how)
        return {name: _each(self.answers_[name].said, found) for name, found in raw.items()}

    def predict_proba(self, X: Any, **how: Any) -> dict[str, Any]:
        """Say how probable each label is.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        dict of str to ndarray, or list of these
            For each target of labels, in the order of its classes.
        """
        chances = {}
        for name, found in self._raw(X, **how).items():
            answer = self.answers_[name]
            if isinstance(answer, Labels):
                chances[name] = _each(answer.chances, found)
        return chances

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean, over targets, of the share that is right (labels) or R² (numbers).

        Parameters
        ----------
        X : as for `fit`
            The records.
        y : dict of str, optional
            The targets; not needed where the data set brings them.

        Returns
        -------
        float
            1 at most.
        """
        self._check_fitted()
        part = self._read_again(X, y)
        return float(np.mean([each.value for each in self._scores(part)]))

    def _read(self, X: Any, y: Any, **how: Any) -> SequenceDataset:
        if y is not None and not isinstance(y, Mapping):
            raise OptionError(
                f"y is a dict of targets by name, but a {type(y).__name__} came. "
                "Use Classifier or Regressor for one."
            )
        return as_dataset(X, y, units=self._units, level=None, **how)

    def _check_options(self) -> None:
        super()._check_options()
        if isinstance(self.weights, str) and self.weights != "uncertainty":
            raise OptionError(f"weights={self.weights!r}: it is 'uncertainty', or a dict.")
        if not isinstance(self.weights, str):
            for name, each in self.weights.items():
                if not isinstance(each, int | float) or not 0 <= each < np.inf:
                    raise OptionError(f"The weight of {name!r} is {each!r}, but it is 0 or more.")

    def _prepared(self, dataset: SequenceDataset) -> SequenceDataset:
        for name, target in dataset.targets.items():
            if target.level == "labels":
                message = f"Target {name!r} has labels of any number, neither one nor one a step"
                raise DataError(message, code="target_count", hint="See Transcriber.")
        if not isinstance(self.weights, str):
            for name in self.weights:
                if name not in dataset.targets:
                    known = near(str(name), dataset.targets)
                    raise OptionError(f"weights names {name!r}, which is no target. {known}")
        return dataset

    def _recoded(self, dataset: SequenceDataset) -> SequenceDataset:
        lacking = [name for name in self.answers_ if name not in dataset.targets]
        if lacking:
            message = f"The model learned a target {lacking[0]!r}, which is not there"
            hint = near(lacking[0], dataset.targets)
            raise DataError(message, code="no_target", hint=f"Give None where unknown. {hint}")
        targets = {
            name: numbers_of_labels(dataset.targets[name], name)
            if isinstance(answer, Numbers)
            else dataset.targets[name]
            for name, answer in self.answers_.items()
        }
        return replace(dataset, targets=targets)

    def _ready(self, kept: SequenceDataset) -> tuple[str, ...]:
        for name, target in kept.targets.items():
            if not target.observed.any(0).all():
                message = f"No record that is learned from has a known target {name!r}"
                raise DataError(message, code="all_missing", hint="Leave the target out.")
        self.answers_ = {name: task_answer(each) for name, each in kept.targets.items()}
        return super()._ready(kept)

    def _scaled(self, dataset: SequenceDataset) -> SequenceDataset:
        written = {
            name: self.answers_[name].written(target, dataset.ids)
            for name, target in dataset.targets.items()
        }
        return replace(dataset, targets=written)

    def _trainable(self, network: nn.Module) -> nn.Module:
        weights: Any = self.weights
        if not isinstance(weights, str):
            weights = {name: weights.get(name, 1.0) for name in self.answers_}
        return WeightedLosses(network, weights)  # type: ignore[arg-type]

    def _scores(self, part: SequenceDataset) -> list[Score]:
        raw, scores = self._raw(part), []
        for name, target in self._scaled(part).targets.items():
            answer = self.answers_[name]
            found = np.concatenate(raw[name]) if target.level == "step" else raw[name]
            value = answer.score(found, target.values)
            scores.append(Score(type(self).__name__, f"{answer.measure} of {name}", value))
        return [each for each in scores if not np.isnan(each.value)]

    def _baseline(self, kept: SequenceDataset, part: SequenceDataset) -> list[Score]:
        """Answer for records by linear models of summaries, for steps by what is most usual."""
        few, written, asked = sample(kept), self._scaled(kept), self._scaled(part)
        scores = []
        for name, answer in self.answers_.items():
            truth, known = asked.targets[name].values, written.targets[name].values
            found = _usual(answer, known, truth)
            model = "the most usual answer"
            if asked.targets[name].level == "record" and truth.shape[1] == 1:
                model = "linear models of summaries"
                found = _linear(answer, few, self._scaled(few).targets[name].values, part)
            scores.append(Score(model, f"{answer.measure} of {name}", answer.score(found, truth)))
        return [each for each in scores if not np.isnan(each.value)]

    def _wanted(
        self, target: Any, answer: str | None, step: int | None, raw: Mapping[str, Tensor]
    ) -> Wanted:
        name = chosen_answer(raw, answer)
        at = None
        if self.network_.plan.answers[name].level == "step":
            at = chosen_step(step, raw[name].shape[1])
        else:
            refuse_step(step)
        learned = self.answers_[name]
        if isinstance(learned, Labels):
            return log_odds(name, [*learned.classes], target, raw[name], step=at)
        assert isinstance(learned, Numbers)
        return number(name, learned.centre, learned.spread, target, step=at)

    def _imitated(self, dataset: SequenceDataset, target: object) -> Answers:
        """Say one target: its name, or of labels (name, label)."""
        from recurra.explaining.surrogates import Answers

        name, label = target if isinstance(target, tuple) else (target, None)
        name = [*self.answers_][place_of_target(name, [*self.answers_])]
        planned, answer = self.network_.plan.answers[name], self.answers_[name]
        if planned.level != "record" or planned.outputs > 1:
            raise OptionError(
                f"Target {name!r} is not one answer for each record, which a surrogate imitates."
            )
        raw = self._raw(dataset)[name]
        if isinstance(answer, Labels):
            return answers_of_labels(raw[:, 0], answer.classes, label)
        return Answers(name, answer.said(raw))

    def _numbers_for(self, dataset: SequenceDataset) -> dict[str, Floats]:
        """Say how probable each label is, and each number, of the targets of whole records."""
        found: dict[str, Floats] = {}
        for name, raw in self._raw(dataset).items():
            answer = self.answers_[name]
            if self.network_.plan.answers[name].level != "record":
                continue
            if isinstance(answer, Labels):
                chances = answer.chances(raw).reshape(len(raw), -1, len(answer.classes))
                parts = [chances[:, :, code] for code in range(len(answer.classes))]
                said = [f"{name}: {label}" for label in answer.classes]
            else:
                parts, said = [answer.said(raw).reshape(len(raw), -1)], [name]
            for label, part in zip(said, parts, strict=True):
                several = part.shape[1] > 1
                found |= {f"{label} {k}" if several else label: part[:, k] for k in
                          range(part.shape[1])}  # fmt: skip
        if not found:
            raise OptionError("No target is an answer for a whole record, which what_if compares.")
        return found

    def _said(self, raw: dict[str, Floats]) -> Any:
        said = {}
        for name, found in raw.items():
            answer = self.answers_[name]
            said[name] = (answer.chances if isinstance(answer, Labels) else answer.said)(found)[0]
        return said

    def _sureness(self, dataset: SequenceDataset) -> list[Sure]:
        """Give the probabilities of each target that is one label of a record."""
        raw, found = self._raw(dataset), []
        for name, target in self._scaled(dataset).targets.items():
            answer = self.answers_[name]
            if isinstance(answer, Labels) and target.level == "record" and raw[name].shape[1] == 1:
                chances = answer.chances(raw[name]).reshape(len(dataset), -1)
                found.append(Sure(name, chances, target.values[:, 0]))
        return found

    def _worth_a_look(self, dataset: SequenceDataset) -> list[Shown]:  # noqa: ARG002
        """Choose the first record's answers for a few targets, at its last step if at each."""
        found = []
        for name, answer in [*self.network_.plan.answers.items()][:MOST_SHOWN]:
            asked: dict[str, Any] = {"answer": name}
            asked |= {"step": -1} if answer.level == "step" else {}
            asked |= {"target": 0} if answer.outputs > 1 else {}
            found.append(Shown(0, f"The first record: {name}", "", asked))
        return found

    def _state(self) -> dict[str, Any]:
        told = [[name, asdict(each)] for name, each in self.answers_.items()]  # type: ignore[call-overload]
        return {**super()._state(), "answers": told}

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        super()._restore_state(state)
        listed = take(_State, state, "header.learned")["answers"]
        self.answers_ = {name: restored(told) for name, told in listed}
        planned = self.network_.plan.answers
        if list(self.answers_) != list(planned):
            raise FileError("header.learned.answers has other targets than header.network.answers.")
        for name, each in self.answers_.items():
            wanted = planned[name]
            if isinstance(each, Labels):
                agree(len(each.classes), wanted.classes, f"classes of {name}")
            elif isinstance(each, Numbers):
                agree(0, wanted.classes, f"classes of {name}")
                for numbers in (each.centre, each.spread):
                    agree(len(numbers), wanted.outputs, f"scales of {name}")


class _State(TypedDict):
    """What was learned besides the network, as JSON holds it."""

    units: dict[str, str]
    answers: list[tuple[str, dict[str, Any]]]


def _each(say: Any, found: Any) -> Any:
    """Say an answer for all records at once, or, of steps, for each record."""
    return [say(each) for each in found] if isinstance(found, list) else say(found)


def _usual(answer: TaskAnswer, known: Array, truth: Array) -> Floats:
    """Answer what is most frequent, or the mean."""
    if isinstance(answer, Numbers):
        return np.zeros(truth.shape)
    counts = [
        np.bincount(each[each >= 0], minlength=len(answer.classes))  # type: ignore[attr-defined]
        for each in known.T
    ]
    return np.broadcast_to(np.stack(counts), (*truth.shape, len(counts[0]))).astype(float)


def _linear(answer: TaskAnswer, few: SequenceDataset, known: Array, part: SequenceDataset) -> Any:
    """Answer by a linear model of summaries, as the network would say it."""
    if isinstance(answer, Numbers):
        there = np.flatnonzero(~np.isnan(known[:, 0]))
        return linear_regressor(few.take(there), known[there], part)
    there = np.flatnonzero(known[:, 0] >= 0)
    codes = linear_classifier(few.take(there), known[there, 0], part)
    return np.eye(len(answer.classes))[codes][:, None]  # type: ignore[attr-defined]
