"""One label for each record, or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict

import numpy as np
from torch import nn

from recurra.artifact import take
from recurra.data import Preprocessor, SequenceDataset
from recurra.data.tables.notes import also_in
from recurra.data.treatments import Treatment
from recurra.errors import DataError, FileError, OptionError
from recurra.estimators.learning.record_batches import answers
from recurra.estimators.learning.record_checks import known_targets
from recurra.estimators.learning.record_targets import (
    answers_of,
    label_array,
    labels_of_numbers,
    recode,
)
from recurra.estimators.learning.report import Score
from recurra.estimators.learning.restoring import Label, agree
from recurra.estimators.learning.shown import Shown, Sure
from recurra.estimators.learning.simple_models import linear_classifier, sample
from recurra.estimators.learning.text_units import Unit
from recurra.estimators.records.calibration import best_temperature, chances_of
from recurra.estimators.records.class_weights import check_class_weight, label_weights, weigh
from recurra.estimators.records.imitated import answers_of_labels, place_of_target
from recurra.estimators.records.record_estimator import RecordEstimator
from recurra.estimators.records.wanted import Wanted, chosen_answer, log_odds, refuse_step
from recurra.estimators.records.worth_a_look import shown_labels
from recurra.models import Adversarial, NetworkPlan
from recurra.training import Callback, Training

if TYPE_CHECKING:
    from sklearn.utils import Tags
    from torch import Tensor

    from recurra.explaining.surrogates import Answers
    from recurra.types import Array, Floats

__all__ = ["Classifier"]

FAR = 2.0  # that the words of a text are moved while training
TINY = 1e-12  # a probability whose logarithm can still be taken
WORTH = 0.05  # share of the records held back that are worth to be learned from, too


class Classifier(RecordEstimator):
    """Says one label for each record, or several: a recurrent network over its steps.

    Records may differ in length, have holes, irregular times, several streams and static inputs.
    Where nothing else is said, numbers are scaled, holes are filled with the last value and marked,
    and the time since the last value is an input; what is needed for that is learned from the
    training part alone.

    Parameters
    ----------
    layer : {"gru", "lstm", "rnn", "grud"}
        The recurrent layer; ``"grud"`` reads the mask and the times itself; old values decay
        towards the mean (Che et al. 2018, arXiv:1606.01865).
    hidden_size, num_layers : int
        Units in a layer, and layers on layers.
    bidirectional : bool
        Whether it also reads backwards.
    pooling : {"last", "mean", "max", "attention"} or a sequence of these
        How the outputs of the steps become one vector.
    encoder_size : int, optional
        Width of what the encoder of each stream gives its layer: of a linear projection of
        measurements (by default they go in as they are), of embedded tokens (twice `hidden_size` by
        default), of convolutions over signals and frames (`hidden_size` by default).
    shortcut : bool
        Whether the answer has a linear part too, which reads the inputs of the last step: where the
        answer is close to what was seen last.
    front : {"auto", "convolution"}, optional
        Causal convolutions that look for shapes, before a layer or beside it (as in LSTM-FCN, Karim
        et al. 2017, arXiv:1709.05206). By itself for labels of records measured on an even clock.
    skip : bool or "auto"
        Whether the answer also reads the mean and largest value of what the layers read; by itself
        where there are convolutions.
    join : {"late", "concatenate", "gated"}
        How several streams meet: each has a layer of its own, or they share a clock and a layer.
    input_dropout, dropout, recurrent_dropout, channel_dropout : float
        Probabilities of dropping, while training: a unit of what the layer reads (the same at all
        steps of a record), of the pooled vector, of the state, and a whole channel of a record.
    memory : int, optional
        The longest dependency that is looked for, in steps: the gates of LSTM and GRU layers begin
        with memories of many lengths up to it (Tallec & Ollivier 2018, arXiv:1804.11188).
    unit : {"auto", "word", "char"}
        What a step of a text is. By itself, words where texts have several words parted by spaces,
        else characters, as of names and of Chinese; what was chosen stays and stands in `notes_`.
    class_weight : dict, "balanced", optional
        How much the records of each label count: by label, 1 for those not named; or so that all
        labels count the same.
    ordinal : bool or sequence
        Whether the labels have an order, which is then learned from: as they are sorted, or as
        listed here, lowest first.
    adversarial : float or "auto"
        How far the steps of a record, as the layers read them, are moved in the worst direction to
        be learned once more (Miyato et al. 2017, arXiv:1605.07725); 0 for not at all. By itself 2
        for texts that are read word by word, which takes about twice the time, and else 0.
    refit : bool or "auto"
        Whether it learns once more from all records, as long as was best, when those held back have
        shown when to stop, how sure to be, and how good it is: `report`, `log_` and callbacks tell
        of the first time. By itself where a twentieth of the records or more was held back.
    calibration : {"temperature"}, optional
        How probabilities are made to mean what they say: the logits are divided by one number,
        learned from the records held back, if there are any (Guo et al. 2017, arXiv:1706.04599).
    treatments : Preprocessor, sequence of Treatment or "auto"
        What is done to the data first.
    validation : float or "auto"
        Share of the records, or groups, held back to stop the training; 0, or fewer than ten held
        back, for none. By itself none of fewer than 500 records, which are too few to spare any,
        and else 15 %, at most 2000.
    training : Training, optional
        How to train.
    warm_start : bool
        Whether `fit` goes on from the weights of the last `fit`; all else stays as it was learned.
    seed : int
        Source of all chance.

    Attributes
    ----------
    classes_ : ndarray
        The labels, sorted; in the order of `ordinal`, if that lists them.
    temperature_ : float
        What the logits are divided by.
    preprocessor_ : Preprocessor
        The fitted treatments.
    network_ : SequenceNetwork
        The trained network.
    log_ : Log
        What happened in training.
    notes_ : tuple of str
        What the data needed, with counts.

    Notes
    -----
    With a table of labels as `y`, shape (records, outputs), each column is answered by itself: of
    zeros and ones, these are several labels that a record can have together.

    Examples
    --------
    >>> from recurra import Classifier, Training
    >>> X = [[0.0, 1.0, 2.0], [2.0, 1.0], [1.0, float("nan"), 5.0, 6.0], [4.0, 3.0, 1.0]] * 5
    >>> model = Classifier(hidden_size=8, training=Training(steps=60)).fit(X, ["up", "down"] * 10)
    >>> model.predict([[1.0, 2.0, 3.0, 4.0]])
    array(['up'], dtype=object)
    """

    _coming: Sequence[object] | None = None
    """Labels that were said to come, while learning."""

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
        class_weight: Mapping[object, float] | Literal["balanced"] | None = None,
        ordinal: bool | Sequence[object] = False,
        adversarial: float | Literal["auto"] = "auto",
        refit: bool | Literal["auto"] = "auto",
        calibration: Literal["temperature"] | None = "temperature",
        treatments: Preprocessor | Sequence[Treatment] | Literal["auto"] = "auto",
        validation: float | Literal["auto"] = "auto",
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
        self.class_weight = class_weight
        self.ordinal = ordinal
        self.adversarial = adversarial
        self.refit = refit
        self.calibration = calibration

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        classes: Sequence[object] | None = None,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] = (),
        **how: Any,
    ) -> Self:
        """Go once through some records, and learn from them on top of what was learned.

        The first call learns treatments, classes and scales too; later ones only the weights.

        Parameters
        ----------
        X, y
            As for `fit`.
        classes : sequence, optional
            All labels that there will ever be; needed in the first call, unless its `y` has all.
        sample_weight, callbacks, **how
            As for `fit`.

        Returns
        -------
        Classifier
            Itself.

        Raises
        ------
        DataError, OptionError, TrainingError
            As for `fit`; and if a label was never seen.
        """
        if classes is not None and self._fitted:
            if set(classes) != set(self.classes_.tolist()):
                said = f"classes={list(classes)!r}, but it has learned {self.classes_.tolist()!r}"
                raise OptionError(f"{said}. Make a new Classifier.")
            classes = None
        self._coming = classes
        try:
            how = {"sample_weight": sample_weight, "callbacks": callbacks, **how}
            return super().partial_fit(X, y, **how)
        finally:
            del self._coming

    def predict(self, X: Any, **how: Any) -> Array:
        """Say the most probable label of each record.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        ndarray, shape (records,) or (records, outputs)
            Labels; None for a record of which nothing is known.
        """
        chances = self._chances(X, **how)
        labels: Array = self.classes_[np.argmax(chances, -1)]
        unknown = np.isnan(chances[:, 0, 0])
        if unknown.any():
            labels = labels.astype(object)
            labels[unknown] = None
        return labels[:, 0] if self._outputs == 1 else labels

    def predict_proba(self, X: Any, **how: Any) -> Floats:
        """Say how probable each label is.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        ndarray of float64, shape (records, classes)
            In the order of `classes_`; NaN for a record of which nothing is known. Of several
            outputs with two classes shape (records, outputs), the probability of the second; with
            more, shape (records, outputs, classes).
        """
        return self._shaped(self._chances(X, **how))

    def _chances(self, X: Any, **how: Any) -> Floats:
        """Say how probable each label is, shape (records, outputs, classes)."""
        (raw,) = self._raw(X, **how).values()
        return chances_of(raw, self.temperature_)

    def _said(self, raw: dict[str, Floats]) -> Floats:
        (logits,) = raw.values()
        return self._shaped(chances_of(logits, self.temperature_))[0]

    def _wanted(
        self, target: Any, answer: str | None, step: int | None, raw: Mapping[str, Tensor]
    ) -> Wanted:
        name = chosen_answer(raw, answer)
        refuse_step(step)
        return log_odds(name, self.classes_.tolist(), target, raw[name], self.temperature_)

    def _imitated(self, dataset: SequenceDataset, target: object) -> Answers:
        """Say labels and log odds; of several outputs those of one, named by its place."""
        (raw,) = self._raw(dataset).values()
        place = 0
        if self._outputs > 1:
            place, target = place_of_target(target, range(self._outputs)), None
        return answers_of_labels(raw[:, place] / self.temperature_, self.classes_.tolist(), target)

    def _numbers_for(self, dataset: SequenceDataset) -> dict[str, Floats]:
        """Say how probable each label is; of several outputs each of each."""
        chances = self._chances(dataset)
        several = self._outputs > 1
        return {
            f"{place}: {label}" if several else str(label): chances[:, place, code]
            for place in range(self._outputs)
            for code, label in enumerate(self.classes_.tolist())
        }

    def _nearest_target(self, record: SequenceDataset, target: object) -> object:
        """Ask for the label that is answered, where there are more than two."""
        if target is None and self._outputs == 1 and len(self.classes_) > 2:
            return self.predict(record)[0]
        return target

    def _shaped(self, chances: Floats) -> Floats:
        """Leave out what says nothing: the only output, the first of two classes."""
        if self._outputs == 1:
            return chances[:, 0]
        return chances[..., 1] if len(self.classes_) == 2 else chances

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the share of records whose label is right.

        Parameters
        ----------
        X : as for `fit`
            The records.
        y : array-like, shape (records,), optional
            Their labels; not needed where the data set brings them.
        sample_weight : array-like, shape (records,), optional
            How much each record counts.

        Returns
        -------
        float
            The accuracy, 0 to 1.
        """
        from sklearn.metrics import accuracy_score

        truth = answers_of(X) if y is None else y
        return float(accuracy_score(truth, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Tags:
        """Say to scikit-learn that it is a classifier, also of several labels together."""
        from sklearn.utils import ClassifierTags

        tags = super().__sklearn_tags__()
        tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        tags.target_tags.multi_output = tags.classifier_tags.multi_label = True
        return tags

    def _with_known_targets(self, dataset: SequenceDataset) -> SequenceDataset:
        """Refuse a label that is missing."""
        unknown = np.flatnonzero(~known_targets(dataset))
        if unknown.size:
            raise DataError(
                f"A label is missing{also_in(unknown.size)}",
                code="null_label",
                record=dataset.ids[unknown[0]],
                row=int(unknown[0]),
                hint="Leave such records out.",
            )
        return dataset

    def _check_options(self) -> None:
        super()._check_options()
        check_class_weight(self.class_weight)
        if self.calibration not in ("temperature", None):
            raise OptionError(f"calibration={self.calibration!r}: it is 'temperature' or None.")
        if not (isinstance(self.refit, bool) or self.refit == "auto"):
            raise OptionError(f"refit={self.refit!r}, but it is True, False or 'auto'.")
        self._check_adversarial()

    def _check_adversarial(self) -> None:
        if self.adversarial == "auto":
            return
        if not isinstance(self.adversarial, int | float) or not 0 <= self.adversarial < np.inf:
            said = f"adversarial={self.adversarial!r}, but it is a length of 0 or more, or 'auto'."
            raise OptionError(said)
        if self.adversarial and self.layer == "grud":
            raise OptionError('layer="grud" reads records as they are: adversarial=0.')

    def _prepared(self, dataset: SequenceDataset) -> SequenceDataset:
        """Check that there are labels for each record, of two or more kinds."""
        target = dataset.target
        if target.level != "record":
            message = (
                f"A Classifier learns labels of a record, but y is one for each {target.level}"
            )
            raise OptionError(f"{message}. Use Tagger.")
        if not target.classes:
            target = labels_of_numbers(target, dataset.ids, type(self).__name__)
        found = np.unique(target.values[target.values >= 0])
        classes = self._all_classes(target.classes)
        if len(classes) < 2 or (len(found) < 2 and self._coming is None):
            one = target.classes[int(found[0])]
            hint = "Give records of two or more."
            message = "Every record has the same label, which makes one class only"
            raise DataError(message, code="one_class", value=one, hint=hint)
        self.classes_ = label_array(classes)
        self._outputs, self.temperature_ = len(target.outputs), 1.0  # until it is learned
        return self._recoded(replace(dataset, targets={next(iter(dataset.targets)): target}))

    def _all_classes(self, found: tuple[object, ...]) -> tuple[object, ...]:
        """List the labels in their order: those found, those to come, those with an order."""
        listed = None if isinstance(self.ordinal, bool) else tuple(self.ordinal)
        coming = self._coming if listed is None else listed
        if coming is None:
            return found
        named = tuple(each.item() if isinstance(each, np.generic) else each for each in coming)
        for label in found:
            if label not in named:
                what = "classes" if listed is None else "ordinal"
                message = f"y has a label that is not among {what}={list(named)!r}"
                raise DataError(message, code="unseen_label", value=label, hint="Name it too.")
        return named if listed is not None else tuple(sorted(named))  # type: ignore[type-var]

    def _recoded(self, dataset: SequenceDataset) -> SequenceDataset:
        (name,) = dataset.targets
        target = recode(dataset.target, tuple(self.classes_.tolist()), dataset.ids)
        if len(target.outputs) != self._outputs:
            message = f"y has {len(target.outputs)} columns, but {self._outputs} were learned"
            raise DataError(message, code="outputs", hint="Give as many.")
        return replace(dataset, targets={name: target})

    def _plan(self, treated: SequenceDataset) -> NetworkPlan:
        plan = super()._plan(treated)
        ordered = self.ordinal is not False
        answers = {name: replace(each, ordinal=ordered) for name, each in plan.answers.items()}
        return replace(plan, answers=answers)

    def _ready(self, kept: SequenceDataset) -> tuple[str, ...]:
        self._label_weights = label_weights(kept, self.class_weight, self.classes_)
        return super()._ready(kept)

    def _scaled(self, dataset: SequenceDataset) -> SequenceDataset:
        return weigh(dataset, self._label_weights)

    def _trainable(self, network: nn.Module) -> nn.Module:
        length = self.adversarial
        if length == "auto":
            length = FAR if self._counts_tokens and "word" in self._units.found.values() else 0.0
        return Adversarial(network, length) if length else network  # type: ignore[arg-type]

    def _learns_again(self, kept: SequenceDataset, held: SequenceDataset) -> bool:
        enough = len(held) >= WORTH * (len(kept) + len(held))
        return enough if self.refit == "auto" else bool(self.refit)

    def _mean_loss(self, network: Any, waiting: SequenceDataset) -> float:
        """Return the loss over treated records; of texts at the temperature they will get.

        On texts a network is soon too sure, and still gets better at telling labels apart.
        """
        plain = self._counts_tokens and waiting.weights is None
        if self.calibration is None or not plain:
            return super()._mean_loss(network, waiting)
        (raw,) = answers(network, waiting).values()
        codes = waiting.target.values
        known = codes >= 0
        shares = chances_of(raw[known], best_temperature(raw, codes))
        right = np.take_along_axis(shares, codes[known][:, None], 1)
        return float(-np.log(np.maximum(right, TINY)).mean())

    def _after_training(self, held: SequenceDataset | None) -> None:
        """Learn how sure the network is to be, from the records held back."""
        self.temperature_ = 1.0
        if held is not None and self.calibration is not None:
            (raw,) = self._raw(held).values()
            self.temperature_ = best_temperature(raw, held.target.values)

    def _scores(self, part: SequenceDataset) -> list[Score]:
        truth, chances = part.target.values, self._chances(part)
        name, known = type(self).__name__, truth >= 0
        right = (np.argmax(chances, -1) == truth)[known].mean()
        sure = np.take_along_axis(chances, np.maximum(truth, 0)[..., None], -1)[..., 0][known]
        loss = -np.log(np.maximum(sure, 1e-12)).mean()
        return [Score(name, "accuracy", float(right)), Score(name, "log loss", float(loss))]

    def _baseline(self, kept: SequenceDataset, part: SequenceDataset) -> list[Score]:
        few, truth, scores = sample(kept), part.target.values, []
        usual = [np.bincount(each[each >= 0]).argmax() for each in kept.target.values.T]
        scores.append(Score("the most frequent label", "accuracy", _right(usual, truth)))
        linear = np.stack(
            [
                linear_classifier(few.take(np.flatnonzero(c >= 0)), c[c >= 0], part)
                for c in few.target.values.T
            ],
            1,
        )
        told = "logistic regression on summaries"
        return [*scores, Score(told, "accuracy", _right(linear, truth))]

    def _sureness(self, dataset: SequenceDataset) -> list[Sure]:
        """Give the probabilities of each output."""
        chances, truth = self._chances(dataset), dataset.target.values
        return [
            Sure(f"output {place}", chances[:, place], truth[:, place])
            for place in range(self._outputs)
        ]

    def _worth_a_look(self, dataset: SequenceDataset) -> list[Shown]:
        """Choose answers that are explained; of several outputs for the first."""
        first = self._sureness(dataset)[0]
        asked = {} if self._outputs == 1 else {"target": 0}
        return shown_labels(
            first.chances, first.codes, self.classes_.tolist(), lambda place: (place, asked)
        )

    def _state(self) -> dict[str, Any]:
        return {
            **super()._state(),
            "classes": self.classes_,
            "outputs": self._outputs,
            "temperature": self.temperature_,
            "label_weights": self._label_weights,
        }

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        super()._restore_state(state)
        told = take(_State, state, "header.learned")
        self.classes_ = label_array(told["classes"])
        self._outputs, self.temperature_ = told["outputs"], told["temperature"]
        weights = told["label_weights"]
        self._label_weights = None if weights is None else np.array(weights)
        if weights is not None:
            agree(len(weights), len(self.classes_), "weights of labels")
        (answer,) = self.network_.plan.answers.values()
        agree(len(self.classes_), answer.classes, "classes")
        agree(self._outputs, answer.outputs, "targets")
        if not self.temperature_ > 0:
            raise FileError(f"header.learned.temperature is {self.temperature_}, not positive.")


class _State(TypedDict):
    """What was learned besides the network, as JSON holds it."""

    units: dict[str, str]
    classes: list[Label]
    outputs: int
    temperature: float
    label_weights: list[float] | None


def _right(answers: Any, truth: Array) -> float:
    """Say which share of the known answers is right."""
    return float((np.asarray(answers) == truth)[truth >= 0].mean())
