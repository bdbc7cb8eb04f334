"""Trials on records: read once, parted once, so that all are asked the same."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from recurra.data import ParquetRecords, SequenceDataset, folds, split
from recurra.errors import DataWarning, OptionError, TrainingError, near
from recurra.estimators.learning.report import is_greater_better
from recurra.tuning.measures import usual_measure
from recurra.tuning.resampling import Folds, HeldOut, spread

if TYPE_CHECKING:
    from recurra.tuning.onlooker import Onlooker

__all__ = ["RecordJudge"]

FEW = 500  # records; with fewer, one part held out says too little
FEWEST = 10  # records or groups; with fewer, the ends of records are held out
MEAN = "mean of all measures"


class _Enough(BaseException):
    """Ends a ``fit`` as soon as the data are read; never seen outside."""


@dataclass(frozen=True, eq=False)
class RecordJudge:
    """Learns from a part of the records, and scores the answers for the rest.

    Parameters
    ----------
    dataset : SequenceDataset
        All records.
    by : HeldOut or Folds
        How they are parted.
    parts : tuple of (SequenceDataset, SequenceDataset)
        What is learned from, and what is asked about.
    reading : dict of str
        What an estimator knows after it has read the data, beside them.
    measure : str
        What is scored.
    greater : bool
        Whether more is better.
    told : str
        What it is judged on, in words.
    digest : str
        Of the data: another study has another.
    """

    dataset: SequenceDataset
    by: HeldOut | Folds
    parts: tuple[tuple[SequenceDataset, SequenceDataset], ...]
    reading: dict[str, Any]
    measure: str
    greater: bool
    told: str
    digest: str

    @classmethod
    def of(
        cls,
        estimator: Any,
        data: tuple[Any, Any, dict[str, Any]],
        metric: str | None,
        by: HeldOut | Folds | None,
    ) -> RecordJudge:
        """Read the data as the estimator's ``fit`` would, and part them."""
        dataset, reading = _read(estimator, *data)
        by = by or _usual(dataset, estimator.learns_alone)
        measure = usual_measure(estimator, metric) or MEAN
        parts = tuple(_parted(dataset, by, estimator.seed))
        told = f"{by}, of {len(dataset)} records"
        greater = measure == MEAN or is_greater_better(measure)
        return cls(dataset, by, parts, reading, measure, greater, told, _digest(dataset))

    @property
    def trainings(self) -> int:
        """One for each part."""
        return len(self.parts)

    @property
    def share(self) -> float:
        """Of the records, or of their steps."""
        return self.by.share if isinstance(self.by, HeldOut) else 1 / self.by.n

    def fresh(self, part: int, seed: int) -> RecordJudge:
        """Make a judge of one training, on another part of the same records.

        Parameters
        ----------
        part : int
            Which one. Folds come round by round, each round parted anew; where the ends of records
            are held out, each part ends them earlier, by up to as much as is held out.
        seed : int
            Of the parts.

        Returns
        -------
        RecordJudge
            Of that part alone.
        """
        dataset, by = self.dataset, self.by
        if isinstance(by, Folds):
            turn, fold = divmod(part, by.n)
            chosen = _parted(dataset, by, seed + turn)[fold]
        elif by.by == "record":
            (chosen,) = _parted(dataset, by, seed + part)
        else:
            earlier, _ = split(dataset, by.share * spread(part), by="time")
            (chosen,) = _parted(earlier, by, seed)
        return replace(self, parts=(chosen,))

    def score(self, model: Any, onlooker: Onlooker) -> float:
        """Train a model on each part, and average its scores on the rest.

        Parameters
        ----------
        model : Learner
            Not fitted.
        onlooker : Onlooker
            Who looks on.

        Returns
        -------
        float
            The score.
        """
        found = list(onlooker.known)
        for number in range(len(found)):
            onlooker.part_scored(found[: number + 1])
        for kept, held in self.parts[len(found) :]:
            each = self._prepared(model)
            each.fit(kept, callbacks=onlooker.callbacks(alone=len(self.parts) == 1))
            found.append(self._scored(each, held))
            if len(found) < len(self.parts):
                onlooker.part_scored(found)
        return float(np.mean(found))

    def _prepared(self, model: Any) -> Any:
        """Make a copy that takes data as they were read, and scores no simple model beside it."""
        each = deepcopy(model)
        each._read = _Reader(each, self.reading)
        each._baseline = lambda kept, part: []  # noqa: ARG005
        return each

    def _scored(self, model: Any, held: SequenceDataset) -> float:
        scores = {each.measure: each.value for each in model.scores(held)}
        if self.measure == MEAN:
            value = float(np.mean([*scores.values()]))
        elif self.measure in scores:
            value = scores[self.measure]
        else:
            name, hint = type(model).__name__, near(self.measure, scores)
            raise OptionError(f"A {name} is not scored by metric={self.measure!r}. {hint}")
        if not np.isfinite(value):
            raise TrainingError(f"The {self.measure} of what was held out is {value}.")
        return value


class _Reader:
    """Hands records on that were read before, with what was learned of them in reading."""

    def __init__(self, model: Any, reading: dict[str, Any]) -> None:
        self.model, self.reading = model, reading

    def __call__(self, X: SequenceDataset, y: Any = None, **how: Any) -> SequenceDataset:  # noqa: ARG002
        """Hand records on."""
        self.model.__dict__.update(deepcopy(self.reading))
        return X


def _read(
    estimator: Any, X: Any, y: Any, how: dict[str, Any]
) -> tuple[SequenceDataset, dict[str, Any]]:
    """Let ``fit`` read and check the data, and end it there."""
    if isinstance(X, ParquetRecords):
        raise OptionError(
            "A search reads its data again and again, and X is larger than memory. Tune on a part, "
            "X.sample(20_000, seed), and fit result.model's parameters to X."
        )
    reader = clone(estimator).set_params(warm_start=False)
    found: dict[str, Any] = {}
    check: Callable[[SequenceDataset], SequenceDataset] = reader._prepared

    def enough(dataset: SequenceDataset) -> SequenceDataset:
        known = reader.get_params(deep=False)
        beside = {k: v for k, v in reader.__dict__.items() if k not in known and k != "_prepared"}
        found["dataset"], found["reading"] = dataset, deepcopy(beside)
        check(dataset)
        raise _Enough

    reader._prepared = enough
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # the last training says it
            reader.fit(X, y, **how)
    except _Enough:
        return found["dataset"], found["reading"]
    raise AssertionError("fit ended before it read the data")  # pragma: no cover


def _usual(dataset: SequenceDataset, learns_alone: bool) -> HeldOut | Folds:
    """Choose what is held out: of few records each once, of very few their ends."""
    units = len(dataset) if dataset.groups is None else len(set(map(str, dataset.groups)))
    if learns_alone and units < FEWEST:
        return HeldOut(by="time")
    if len(dataset) >= FEW and units >= FEWEST:
        return HeldOut()
    return Folds(max(2, min(Folds().n, units)))


def _parted(
    dataset: SequenceDataset, by: HeldOut | Folds, seed: int
) -> list[tuple[SequenceDataset, SequenceDataset]]:
    """Part records; labels in equal shares where there are enough of each."""
    if isinstance(by, HeldOut) and by.by == "time":
        kept, held = split(dataset, by.share, by="time")
        return [(kept, held.take(np.flatnonzero(held.lengths > 0)))]
    stratify = _stratified(dataset, by)
    if isinstance(by, HeldOut):
        return [split(dataset, by.share, seed=seed, stratify=stratify)]
    return list(folds(dataset, by.n, seed=seed, stratify=stratify))


def _stratified(dataset: SequenceDataset, by: HeldOut | Folds) -> str | None:
    """Name the target by which both parts are alike, if there is one that can be."""
    if len(dataset.targets) != 1:
        return None
    ((name, target),) = dataset.targets.items()
    if not target.classes or target.level != "record" or target.values.shape[1] != 1:
        return None
    codes = target.values[:, 0]
    least = by.n if isinstance(by, Folds) else 2
    counts = np.unique(codes, return_counts=True)[1]
    fits = isinstance(by, Folds) or by.share * len(codes) >= len(counts) <= (1 - by.share) * len(
        codes
    )
    return name if codes.min() >= 0 and counts.min() >= least and fits else None


def _digest(dataset: SequenceDataset) -> str:
    """Tell data apart by what is in them."""
    found = hashlib.sha256(repr(dataset.ids).encode())
    streams = {**dataset.streams, **({} if dataset.static is None else {"": dataset.static})}
    for name, stream in sorted(streams.items()):
        found.update(f"{name} {stream.channels}".encode())
        found.update(np.ascontiguousarray(stream.offsets).tobytes())
        found.update(np.ascontiguousarray(stream.values).tobytes())
    for name, target in sorted(dataset.targets.items()):
        found.update(f"{name} {target.classes}".encode())
        found.update(np.ascontiguousarray(target.values).tobytes())
    return found.hexdigest()[:16]
