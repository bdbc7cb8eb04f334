"""What can be asked of an estimator that answers for whole records: what its network is like."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import nn

from recurra.data import SequenceDataset
from recurra.errors import DataError, DataWarning, OptionError, near
from recurra.estimators.learning.learner import Learner
from recurra.estimators.learning.options import check_seed
from recurra.estimators.learning.record_batches import in_order, sampled
from recurra.estimators.learning.record_checks import answerable
from recurra.estimators.learning.record_inputs import conform
from recurra.models import RecordBatch, SequenceNetwork

if TYPE_CHECKING:
    from recurra.explaining.neighbours import Neighbours
    from recurra.explaining.surrogates import Answers, Surrogate
    from recurra.explaining.trajectories import Trajectories
    from recurra.explaining.what_if import WhatIf
    from recurra.types import Floats

__all__ = ["Imitated", "answers_of_labels", "place_of_target"]


class Imitated(Learner):
    """Compares a network with something simpler, and records with each other."""

    network_: SequenceNetwork

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

        self._check_fitted()
        check_seed(seed)
        dataset = self._to_ask(X, how)
        if around is None:
            answers = self._answers_for(dataset, target)
            options: Any = {"features": features, "floor": floor, "seed": seed}
            return fit_surrogate(dataset, answers, kind, **options)
        record = self._one(around, how, "around")
        target = self._nearest_target(record, target)
        return fit_surrogate_around(
            record,
            dataset,
            lambda variants: self._answers_for(variants, target),
            kind,
            floor=floor,
            seed=seed,
        )

    def trajectories(
        self, X: Any, n: int = 2, *, stream: str | None = None, **how: Any
    ) -> Trajectories:
        """Follow the state of the network through records, step by step.

        The outputs of the last recurrent layer at every step, in the directions in which those of
        all these records vary most (a principal component analysis).

        Parameters
        ----------
        X : as for `predict`
            Records. Of files, some thousand records.
        n : int
            How many directions.
        stream : str, optional
            Whose layer, where several streams have one each.
        **how
            Further arguments of `recurra.data.from_arrays`, for all records given.

        Returns
        -------
        Trajectories
            A path for each record that has steps, to be drawn; with the share of the variance that
            each direction has.

        Raises
        ------
        DataError
            If no record has two steps.
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

        dataset = self._to_ask(X, how)
        reads = self.network_.reads
        if stream is None and len(reads) == 1:
            stream = reads[0]
        if stream not in reads:
            raise OptionError(f"stream={stream!r}: each of these has a layer. "
                              f"{near(str(stream), reads)}")  # fmt: skip
        layer = self.network_.layers[reads.index(stream)]
        states: list[Floats] = [np.zeros((0, 0))] * len(dataset)
        there = np.flatnonzero(answerable(dataset))
        treated = self._quietly_treated(dataset.take(there))
        for places, batch in in_order(treated):
            for _, named, (outputs, _) in heard_of(self.network_, layer, batch):
                for place, each, steps in zip(
                    places, outputs.double().numpy(), named["lengths"].tolist(), strict=True
                ):
                    states[there[place]] = each[:steps]
        kept = [k for k, each in enumerate(states) if len(each)]
        said = self._answers_shown(dataset.take(kept))
        return project([states[k] for k in kept], n, [dataset.ids[k] for k in kept], said)

    def neighbours(
        self, x: Any, X: Any, n: int = 5, *, y: Sequence[object] | None = None, **how: Any
    ) -> Neighbours:
        """Find the records that the network takes to be most like one.

        Records are compared by what the head of the network reads of them: the pooled states of its
        layers, and what else stands beside these. Near ones are answered alike for like reasons.

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
            Further arguments of `recurra.data.from_arrays`, for all records given.

        Returns
        -------
        Neighbours
            The nearest first, with distances and answers.

        Raises
        ------
        DataError
            If `x` is not one record, or there is not one `y` for each of `X`.
        OptionError
            If there are fewer records, or the network has no answer for whole records.

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

        one, dataset = self._one(x, how, "x"), self._to_ask(X, how)
        there = np.flatnonzero(answerable(dataset))
        if y is not None and len(y) == len(dataset):
            y = [y[int(k)] for k in there]
        dataset = dataset.take(there)
        (answer,) = self._answers_shown(one)
        said = self._answers_shown(dataset)
        read = self._read_by_head(dataset)
        return nearest(self._read_by_head(one)[0], read, n, dataset.ids, said, answer, y)

    def what_if(self, x: Any, change: Mapping[str, Any], **how: Any) -> WhatIf:
        """Say how the answers move if an input were another.

        Parameters
        ----------
        x : as for `predict`
            One or more records.
        change : dict of str
            For each channel what it becomes: a value, or one for each step; a callable, which is
            given the values and gives the new ones; or either at some steps only: ``(range(10, 20),
            60.0)``, ``(slice(-5, None), lambda pulse: pulse + 10)``. None is not observed.
        **how
            Further arguments of `recurra.data.from_arrays`, for all records given.

        Returns
        -------
        WhatIf
            The answers before and after (probabilities, or numbers in the units of `y`), and the
            differences.

        Raises
        ------
        OptionError
            If there is no such channel, or it cannot hold such a value.

        Examples
        --------
        >>> import numpy as np
        >>> from recurra import Regressor, Training
        >>> X = np.random.default_rng(0).normal(size=(120, 5, 2))
        >>> model = Regressor(hidden_size=8, training=Training(steps=200)).fit(X, X[:, -1, 0])
        >>> moved = model.what_if(X[:1], {"x0": (-1, lambda last: last + 1)}).difference
        >>> bool(moved[0] > 0.3)
        True
        """
        from recurra.explaining.what_if import WhatIf, changed

        dataset = self._to_ask(x, how)
        other, said = changed(dataset, change)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            before, after = self._numbers_for(dataset), self._numbers_for(other)
        names, count = [*before], len(dataset)
        keys: dict[str, list[Any]] = {
            "id": [each for each in dataset.ids for _ in names],
            "answer": names * count,
        }
        old, new = (np.stack([*each.values()], 1).ravel() for each in (before, after))
        return WhatIf(said, keys, old, new)

    # ------------------------------------------------------------------ inside

    def _read_by_head(self, dataset: SequenceDataset) -> Floats:
        """Give what the first head of whole records reads."""
        answers = zip(self.network_.heads, self.network_.plan.answers.values(), strict=True)
        heads = [head for head, answer in answers if answer.level == "record"]
        if not heads:
            raise OptionError("The network answers for steps only: no record as a whole is read.")
        parts, order = [], []
        for places, batch in in_order(self._quietly_treated(dataset)):
            ((read, *_), _, _), *_ = heard_of(self.network_, heads[0], batch)
            parts.append(read.double().numpy())
            order.append(places)
        back = np.argsort(np.concatenate(order), kind="stable")
        found: Floats = np.concatenate(parts)[back]
        return found

    def _quietly_treated(self, dataset: SequenceDataset) -> SequenceDataset:
        """Treat records; what is to be told of them is told when they are answered."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            return self._treated_again(dataset)

    def _answers_shown(self, dataset: SequenceDataset) -> list[object]:
        """Answer for each record as the task says it; of several targets a dict."""
        said = self.predict(dataset)
        if isinstance(said, Mapping):
            return [{name: each[k] for name, each in said.items()} for k in range(len(dataset))]
        return [*said]

    def _to_ask(self, X: Any, how: Mapping[str, Any]) -> SequenceDataset:
        """Read records that are asked about, without what is true of them."""
        self._check_fitted()
        source = sampled(X, self.seed)
        return conform(replace(self._read(source, None, **how), targets={}), self._shapes)

    def _one(self, x: Any, how: Mapping[str, Any], name: str) -> SequenceDataset:
        """Read one record."""
        record = self._to_ask(x, how)
        if len(record) != 1:
            raise DataError(
                f"{name} is one record, but {len(record)} came",
                code="record_count",
                hint="Give a list of one: X[3:4], or [text].",
            )
        return record

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
    def predict(self, X: Any, **how: Any) -> Any:
        """Answer for each record."""

    @abstractmethod
    def _treated_again(self, dataset: SequenceDataset) -> SequenceDataset:
        """Treat new records."""

    @abstractmethod
    def _numbers_for(self, dataset: SequenceDataset) -> dict[str, Floats]:
        """Answer for each record in numbers, each of shape (records,), by what they are called."""

    @abstractmethod
    def _imitated(self, dataset: SequenceDataset, target: object) -> Answers:
        """Say what the network answers for records, as one number or as labels."""


def heard_of(network: SequenceNetwork, module: nn.Module, batch: RecordBatch) -> list[Any]:
    """Listen to a part of a network while it answers.

    Parameters
    ----------
    network : SequenceNetwork
        The network.
    module : torch.nn.Module
        The part.
    batch : RecordBatch
        Some records.

    Returns
    -------
    list
        As `recurra.explaining.trajectories.heard`.
    """
    from recurra.explaining.trajectories import heard

    with torch.no_grad():
        return heard(module, lambda: network(batch))


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
