"""A fitted model that is fed one record step by step, and answers after each step."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from recurra.data import SequenceDataset
from recurra.data.batching import pad_records
from recurra.data.treatments.memory import RecordMemory
from recurra.errors import DataError, OptionError, near
from recurra.estimators.learning.record_checks import check_filled
from recurra.estimators.records.steps import read_static
from recurra.models import RecordBatch, StreamBatch
from recurra.models.records.stepping import NetworkStepper

if TYPE_CHECKING:
    from recurra.data import Preprocessor, Stream
    from recurra.estimators.learning.record_inputs import Shape
    from recurra.models import SequenceNetwork

__all__ = ["RecordSession"]


class Steppable(Protocol):
    """A fitted estimator that can read a record step by step."""

    layer: str
    preprocessor_: Preprocessor
    network_: SequenceNetwork
    _shapes: dict[str, Shape]

    def _step_of(self, shape: Shape, row: Any, time: Any, given: bool) -> Stream: ...

    def _said(self, raw: dict[str, Any]) -> Any: ...


class RecordSession:
    """One record, as it comes: each step is read once, in constant time and memory.

    Made by ``model.stream()``. After every step the answer is the one that the model would give for
    the whole record so far.

    Parameters
    ----------
    model : Classifier, Regressor, Tagger or MultiTask
        Fitted, reading forward only, with treatments that do not look ahead.
    static : array-like or dict, optional
        What holds for the whole record, where the model learned from such.

    Raises
    ------
    OptionError
        If the model cannot go step by step; the message says why.

    Examples
    --------
    >>> from recurra import Classifier, Training
    >>> X = [[0.0, 1.0, 2.0], [2.0, 1.0], [1.0, 5.0, 6.0], [4.0, 3.0, 1.0]] * 5
    >>> model = Classifier(hidden_size=8, training=Training(steps=20)).fit(X, [1, 0] * 10)
    >>> session = model.stream()
    >>> for value in (1.0, 2.0, 4.0):
    ...     chances = session.step(value)
    >>> abs(chances - model.predict_proba([[1.0, 2.0, 4.0]])[0]).max() < 1e-6
    np.True_
    """

    def __init__(self, model: Any, static: Any = None) -> None:
        self.model: Steppable = model
        self.memory = RecordMemory(model.preprocessor_)
        self.stepper = NetworkStepper(model.network_)
        self.static = read_static(static, model._shapes.get("static"))

    def copy(self) -> RecordSession:
        """Make another session that stands where this one stands, to try what might come next.

        Returns
        -------
        RecordSession
            With the same model, and a memory of its own.
        """
        shared = [self.model, self.model.preprocessor_, *self.model.network_.modules()]
        return deepcopy(self, {id(each): each for each in shared})

    def step(self, row: Any, time: Any = None) -> Any:
        """Read one step more, and answer.

        Parameters
        ----------
        row : array-like, str or dict
            The values of this step, one for each channel, NaN or None where unknown; a number where
            there is one channel; a token; an image. Of several streams a dict, with those that have
            a step now.
        time : float, str or datetime, optional
            When it is, where the records learned from had times; it does not fall.

        Returns
        -------
        ndarray, or dict of these
            The answer so far: of a Classifier the probabilities (classes,), of a Regressor the
            numbers (outputs,), of a Tagger the probabilities of this step.

        Raises
        ------
        DataError
            If the step is not like those learned from.
        """
        shapes = {k: v for k, v in self.model._shapes.items() if k != "static"}
        given = row if isinstance(row, Mapping) else {next(iter(shapes)): row}
        if len(shapes) > 1 and not isinstance(row, Mapping):
            raise OptionError(f"There are several streams: give a dict of some of {list(shapes)}.")
        for name in given:
            if name not in shapes:
                message = f"The model learned from no stream {name!r}"
                raise DataError(message, code="missing_stream", hint=near(str(name), shapes))
        streams = {
            name: self.model._step_of(shapes[name], given.get(name), time, name in given)
            for name in shapes
        }
        return self._read(SequenceDataset(("this",), streams, self.static), set(given))

    def _read(self, steps: SequenceDataset, given: set[str]) -> Any:
        """Treat a step, and read it."""
        treated = self.memory.read(steps)
        check_filled(treated, self.model.layer == "grud")
        batch = RecordBatch.of(pad_records(treated, np.array([0])))
        network = self.model.network_
        aside = None if network.static is None else network.static(batch.static).values[:, 0]
        self.stepper.read({name: _last(batch.streams[name]) for name in given}, aside)
        raw = {name: each.double().numpy() for name, each in self.stepper.answer(aside).items()}
        return self.model._said(raw)


def _last(stream: StreamBatch) -> StreamBatch:
    """Take the last step of a stream."""
    inner = stream.inner
    if inner is not None:
        rows = (inner.values[-1:], inner.observed[-1:])
        inner = StreamBatch(*rows, inner.lengths[-1:], inner.times[-1:])
    values, observed, times = stream.values, stream.observed, stream.times
    one = torch.ones(1, dtype=torch.int64)
    return StreamBatch(values[:, -1:], observed[:, -1:], one, times[:, -1:], inner)
