"""One label for each record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin

from recurra.data.tables.notes import also_in
from recurra.errors import DataError, OptionError
from recurra.estimators.record_checks import known_targets
from recurra.estimators.record_estimator import RecordEstimator
from recurra.estimators.record_inputs import answers_of

if TYPE_CHECKING:
    from recurra.data import SequenceDataset
    from recurra.types import Array, Floats

__all__ = ["Classifier"]


class Classifier(ClassifierMixin, RecordEstimator):
    """Says one label for each record: a recurrent network over its steps.

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
        measurements (by default they go in as they are), of embedded tokens, of convolutions over
        signals and frames (`hidden_size` by default).
    shortcut : bool
        Whether the answer has a linear part too, which reads the inputs of the last step: where the
        answer is close to what was seen last.
    join : {"late", "concatenate", "gated"}
        How several streams meet: each has a layer of its own, or they share a clock and a layer.
    input_dropout, dropout, recurrent_dropout, channel_dropout : float
        Probabilities of dropping, while training: a unit of what the layer reads (the same at all
        steps of a record), of the pooled vector, of the state, and a whole channel of a record.
    treatments : Preprocessor, sequence of Treatment or "auto"
        What is done to the data first.
    validation : float
        Share of the records, or groups, held back to stop the training; 0, or fewer than ten held
        back, for none.
    training : Training, optional
        How to train.
    seed : int
        Source of all chance.

    Attributes
    ----------
    classes_ : ndarray
        The labels, sorted.
    preprocessor_ : Preprocessor
        The fitted treatments.
    network_ : SequenceNetwork
        The trained network.
    log_ : Log
        What happened in training.
    report_ : tuple of str
        What the data needed, with counts.

    Examples
    --------
    >>> from recurra import Classifier, Training
    >>> X = [[0.0, 1.0, 2.0], [2.0, 1.0], [1.0, float("nan"), 5.0, 6.0], [4.0, 3.0, 1.0]] * 5
    >>> model = Classifier(hidden_size=8, training=Training(steps=60)).fit(X, ["up", "down"] * 10)
    >>> model.predict([[1.0, 2.0, 3.0, 4.0]])
    array(['up'], dtype=object)
    """

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
        ndarray, shape (records,)
            Labels; None for a record of which nothing is known.
        """
        probabilities = self.predict_proba(X, **how)
        labels: Array = self.classes_[np.argmax(probabilities, 1)]
        unknown = np.isnan(probabilities[:, 0])
        if unknown.any():
            labels = labels.astype(object)
            labels[unknown] = None
        return labels

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
            In the order of `classes_`; NaN for a record of which nothing is known.
        """
        (raw,) = self._raw(X, **how).values()
        logits = raw[:, 0]
        shares = np.exp(logits - logits.max(1, keepdims=True))
        probabilities: Floats = shares / shares.sum(1, keepdims=True)
        return probabilities

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
        return float(super().score(X, answers_of(X) if y is None else y, sample_weight))

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

    def _prepared(self, dataset: SequenceDataset) -> SequenceDataset:
        """Check that there is one label for each record, of two or more kinds."""
        target = dataset.target
        if target.level != "record" or len(target.outputs) != 1:
            message = f"A Classifier learns one label for each record, but y is {target.outputs}"
            raise OptionError(f"{message}, one for each {target.level}.")
        if not target.classes:
            codes, classes = _labels_of_numbers(target.values[:, 0], dataset.ids)
            target = replace(target, values=codes, classes=classes)
        found = np.unique(target.values[target.values >= 0])
        if len(found) < 2:
            one = target.classes[int(found[0])]
            hint = "Give records of two or more."
            raise DataError(
                "Every record has the same label", code="one_class", value=one, hint=hint
            )
        self.classes_ = np.array(target.classes, None if _plain(target.classes) else object)
        (name,) = dataset.targets
        return replace(dataset, targets={name: target})

    def _converted(self, dataset: SequenceDataset) -> SequenceDataset:
        """Refuse floats, which are no labels where only a part of them is seen at a time."""
        if not dataset.target.classes:
            raise DataError(
                "The labels are floats, and a part of the file does not tell which there are",
                code="no_label",
                hint="Write them as text or integers.",
            )
        return dataset

    def _state(self) -> dict[str, Any]:
        return {"classes": self.classes_}

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        classes = state["classes"]
        self.classes_ = np.array(classes, None if _plain(classes) else object)


def _plain(classes: Any) -> bool:
    """Say whether labels are numbers or flags, which NumPy holds as they are."""
    return all(isinstance(label, int | float) for label in classes)


def _labels_of_numbers(values: Floats, ids: tuple[object, ...]) -> tuple[Array, tuple[object, ...]]:
    """Take whole numbers for labels."""
    known = ~np.isnan(values)
    odd = np.flatnonzero(known & (values != np.round(values)))
    if odd.size:
        raise DataError(
            "A Classifier learns labels, but y holds fractions",
            code="no_label",
            record=ids[odd[0]],
            value=float(values[odd[0]]),
            hint="Use Regressor for numbers.",
        )
    classes, codes = np.unique(values[known], return_inverse=True)
    placed = np.full((len(values), 1), -1)
    placed[known, 0] = codes
    return placed, tuple(int(label) for label in classes)
