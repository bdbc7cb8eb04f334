"""What a network remembers: its state after each step, and which records it takes for alike."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import nn

from recurra.data import SequenceDataset
from recurra.errors import DataWarning, OptionError, near
from recurra.estimators.learning.asked import Asked
from recurra.estimators.learning.record_batches import sampled
from recurra.estimators.learning.record_checks import answerable

if TYPE_CHECKING:
    from recurra.explaining.neighbours import Neighbours
    from recurra.explaining.trajectories import Trajectories
    from recurra.types import Array, Floats, Integers

__all__ = ["Remembered", "heard_states", "in_place"]


class Remembered(Asked):
    """Shows the states of a recurrent network, and compares records by them."""

    learns_alone: ClassVar[bool]

    def trajectories(
        self, X: Any, n: int = 2, *, stream: str | None = None, **how: Any
    ) -> Trajectories:
        """Follow the state of the network through records, step by step.

        The outputs of the last recurrent layer after every step, in the directions in which those
        of all these records vary most (a principal component analysis). Of recordings a step is a
        frame; a network that tells windows again has the code of the window that ends at each.

        Parameters
        ----------
        X : as for `predict`
            Records; texts, where those are learned. Of files, some thousand records. All states are
            in memory at once: of long records give parts.
        n : int
            How many directions.
        stream : str, optional
            Whose layer, where several streams have one each.
        **how
            Further arguments of `predict` that say how records are read, for all records given.

        Returns
        -------
        Trajectories
            A path for each record that has steps, to be drawn; with the share of the variance that
            each direction has.

        Raises
        ------
        DataError
            If there are fewer than two steps.
        OptionError
            If there is no such stream, or fewer units than directions.

        Examples
        --------
        >>> import numpy as np
        >>> from recurra import Classifier, Training
        >>> X = np.random.default_rng(0).normal(size=(60, 7, 2)).cumsum(1)
        >>> model = Classifier(hidden_size=8, training=Training(steps=50)).fit(X, X[:, -1, 0] > 0)
        >>> model.trajectories(X).paths[0].shape
        (7, 2)
        """
        from recurra.explaining.trajectories import project

        dataset = self._to_ask(sampled(X, self.seed), how)
        layers = self._layers()
        if stream is None and len(layers) == 1:
            stream = layers[0]
        if stream not in layers:
            raise OptionError(f"stream={stream!r}: each of these has a layer. "
                              f"{near(str(stream), layers)}")  # fmt: skip
        dataset = dataset.take(np.flatnonzero(answerable(dataset)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # it is told where they are answered
            states = self._states(dataset, stream)
        kept = [k for k, each in enumerate(states) if len(each)]
        dataset, states = dataset.take(kept), [states[k] for k in kept]
        said = self._steps_shown(dataset)
        if said is not None:
            return project(states, n, dataset.ids, said, by_step=True)
        return project(states, n, dataset.ids, self._answers_shown(dataset))

    def neighbours(
        self, x: Any, X: Any, n: int = 5, *, y: Sequence[object] | None = None, **how: Any
    ) -> Neighbours:
        """Find the records that the network takes to be most like one.

        Records are compared by what the head of the network reads of them: of whole records, the
        pooled states of its layers, and what else stands beside these; where something is said of
        every step, the mean of the states; where the next step is foretold, the state after the
        last; where a sequence is answered, what the decoder begins with. Near ones are answered
        alike for like reasons.

        Parameters
        ----------
        x : one record, as for `predict`
            The record; it is its own nearest where it is among `X`.
        X : as for `predict`
            The records to search, such as those learned from. Of files, some thousand records.
        n : int
            How many are wanted.
        y : sequence, optional
            What is true of each of `X`, to be shown beside the answers.
        **how
            Further arguments of `predict` that say how records are read, for all records given.

        Returns
        -------
        Neighbours
            The nearest first, with distances and answers.

        Raises
        ------
        DataError
            If there is not one `y` for each of `X`.
        OptionError
            If `x` is not one record, or there are fewer records than wanted.

        Examples
        --------
        >>> import numpy as np
        >>> from recurra import Classifier, Training
        >>> X = np.random.default_rng(0).normal(size=(60, 7, 2)).cumsum(1)
        >>> model = Classifier(hidden_size=8, training=Training(steps=50)).fit(X, X[:, -1, 0] > 0)
        >>> model.neighbours(X[3:4], X, n=2).ids[0]
        3
        """
        from recurra.explaining.neighbours import nearest

        one = self._one_to_ask(x, how, "x")
        dataset = self._to_ask(sampled(X, self.seed), how)
        there = np.flatnonzero(answerable(dataset))
        if y is not None and len(y) == len(dataset):
            y = [y[int(k)] for k in there]
        dataset = dataset.take(there)
        (answer,) = self._answers_shown(one)
        said = self._answers_shown(dataset)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # it was told where they were answered
            (here,), read = self._remembered(one), self._remembered(dataset)
        return nearest(here, read, n, dataset.ids, said, answer, y)

    # ------------------------------------------------------------------ inside

    def _remembered(self, dataset: SequenceDataset) -> Floats:
        """Give what the head reads of each record, shape (records, units)."""
        parts = []
        for layer in self._layers():
            states = self._states(dataset, layer)
            wide = max(each.shape[1] for each in states)
            rows = [each if len(each) else np.zeros((1, wide)) for each in states]
            parts.append(
                np.stack([each[-1] if self.learns_alone else each.mean(0) for each in rows])
            )
        return np.concatenate(parts, 1)

    def _answers_shown(self, dataset: SequenceDataset) -> list[object]:
        """Answer for each record as the task says it; of several targets a dict."""
        model: Any = self
        said = model.predict(dataset)
        if isinstance(said, Mapping):
            return [{name: each[k] for name, each in said.items()} for k in range(len(dataset))]
        return [*said]

    # ------------------------------------------------------------------ what a task says of itself

    def _layers(self) -> tuple[str, ...]:
        """Name the streams that a recurrent layer of their own reads."""
        return tuple(self._shapes)

    def _steps_shown(self, dataset: SequenceDataset) -> list[Array] | None:  # noqa: ARG002
        """Answer for each step, where the task does, as many as there are states."""
        return None

    def _states(self, dataset: SequenceDataset, layer: str) -> list[Floats]:  # noqa: ARG002
        """Give the states after each step, shape (steps, units), of records that have some."""
        raise OptionError(f"{type(self).__name__} does not show its states.")


def heard_states(layer: nn.Module, run: Callable[[], object]) -> list[Floats]:
    """Listen to a recurrent layer while a network reads a batch.

    Parameters
    ----------
    layer : torch.nn.Module
        The layer, which is called once, with ``lengths=``.
    run : callable
        Lets the network read.

    Returns
    -------
    list of ndarray of float64, shape (steps, units)
        What the layer said of each record at each of its steps.
    """
    from recurra.explaining.trajectories import heard

    with torch.no_grad():
        ((_, named, (outputs, _)),) = heard(layer, run)
    steps = named["lengths"].tolist()
    return [each[:k] for each, k in zip(outputs.double().numpy(), steps, strict=True)]


def in_place(records: int, parts: Iterable[tuple[Integers, Sequence[Floats]]]) -> list[Floats]:
    """Put what was found of batches where its records stand.

    Parameters
    ----------
    records : int
        How many there are.
    parts : iterable of (ndarray of int64, sequence of ndarray)
        Of each batch: which records they are, and what was found.

    Returns
    -------
    list of ndarray
        For each record; of one that was in no batch, no steps.

    Examples
    --------
    >>> found = in_place(3, [(np.array([2, 0]), [np.ones((4, 5)), np.ones((1, 5))])])
    >>> [each.shape for each in found]
    [(1, 5), (0, 0), (4, 5)]
    """
    found: list[Floats] = [np.zeros((0, 0))] * records
    for places, states in parts:
        for place, each in zip(places, states, strict=True):
            found[place] = each
    return found
