"""Records of records: the sentences of a document, the visits of a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.errors import DataError, OptionError
from recurra.types import Array, Integers

__all__ = ["flatten", "nest"]


def nest(
    dataset: SequenceDataset, groups: Sequence[object] | Array | None = None
) -> SequenceDataset:
    """Make one record of each group of records.

    Each stream becomes a stream of kind ``"records"``, whose steps are the records that were; those
    of a group keep their order. Answers for a record become answers for such a step.

    Parameters
    ----------
    dataset : SequenceDataset
        The data set, such as one of sentences.
    groups : array-like, shape (records,), optional
        What each record is part of; None for the groups of the data set.

    Returns
    -------
    SequenceDataset
        A record for each group, in the order in which they first appear; their identifiers are the
        groups.

    Raises
    ------
    DataError
        ``group`` if a group is missing, or there is not one for each record; ``not_nested`` if the
        data set has parts that a nested one cannot hold: answers below the record, weights, static
        covariates.

    Examples
    --------
    >>> stream = Stream(np.arange(6.0)[:, None], np.array([0, 1, 4, 6]), ("x",))
    >>> documents = nest(SequenceDataset((0, 1, 2), {"x": stream}), ["b", "a", "b"])
    >>> documents.ids, documents.stream.lengths, documents.stream.inner.lengths
    (('b', 'a'), array([2, 1]), array([1, 2, 3]))
    """
    codes, names = _read_groups(dataset, groups)
    _check_can_nest(dataset)
    order = np.argsort(codes, kind="stable")
    offsets = np.searchsorted(codes[order], np.arange(len(names) + 1)).astype(np.int64)
    nothing = np.zeros((0, 0))
    streams = {
        name: Stream(nothing, offsets, (), kind="records", inner=each.take(order))
        for name, each in dataset.streams.items()
    }
    first = next(iter(streams))
    targets = {
        key: replace(each.take(order), level="step", offsets=offsets, stream=first)
        for key, each in dataset.targets.items()
    }
    return SequenceDataset(names, streams, targets=targets, notes=dataset.notes)


def flatten(dataset: SequenceDataset) -> SequenceDataset:
    """Make a record of each step of a data set of nested records; the inverse of `nest`.

    Parameters
    ----------
    dataset : SequenceDataset
        With streams of kind ``"records"`` only, of equal lengths.

    Returns
    -------
    SequenceDataset
        The inner records. Their identifiers are ``(id, place)``, and their groups the records they
        were in; they have what held for those: static covariates, weights and answers.

    Raises
    ------
    DataError
        ``not_nested`` if a stream holds no records, or the streams differ in length.

    Examples
    --------
    >>> stream = Stream(np.arange(6.0)[:, None], np.array([0, 1, 4, 6]), ("x",))
    >>> documents = nest(SequenceDataset((0, 1, 2), {"x": stream}), ["b", "a", "b"])
    >>> flatten(documents).ids, flatten(documents).stream.values.ravel()
    ((('b', 0), ('b', 1), ('a', 0)), array([0., 4., 5., 1., 2., 3.]))
    """
    inner = {name: _inner(name, each) for name, each in dataset.streams.items()}
    first = next(iter(dataset.streams.values()))
    for name, each in dataset.streams.items():
        if not np.array_equal(each.offsets, first.offsets):
            message = f"Stream {name!r} has other numbers of records than the first"
            hint = "Take one stream at a time."
            raise DataError(message, code="not_nested", hint=hint)
    owners = first.owners
    places = np.arange(first.rows) - first.offsets[owners]
    ids = tuple((dataset.ids[i], k) for i, k in zip(owners, places.tolist(), strict=True))
    groups = dataset.groups
    if groups is None:
        groups = np.asarray(pd.Index(dataset.ids, tupleize_cols=False))
    return SequenceDataset(
        ids,
        inner,
        None if dataset.static is None else dataset.static.take(owners),
        {key: _for_records(key, each, owners) for key, each in dataset.targets.items()},
        None if dataset.weights is None else dataset.weights[owners],
        groups[owners],
        dataset.notes,
    )


def _read_groups(
    dataset: SequenceDataset, groups: Sequence[object] | Array | None
) -> tuple[Integers, tuple[object, ...]]:
    """Number the groups in the order in which they appear."""
    given = dataset.groups if groups is None else groups
    if given is None:
        raise OptionError("The data set has no groups. Say by groups= what each record is part of.")
    index = pd.Index(list(given), tupleize_cols=False)
    if len(index) != len(dataset):
        message = f"There are {len(dataset)} records, but {len(index)} groups"
        raise DataError(message, code="group", hint="Give one for each record.")
    codes, names = pd.factorize(index)
    if (codes < 0).any():
        record = dataset.ids[int(np.argmax(codes < 0))]
        message = "The record is part of nothing: its group is missing"
        raise DataError(message, code="group", record=record, hint="Name it, or leave it out.")
    return codes.astype(np.int64), tuple(names.tolist())


def _check_can_nest(dataset: SequenceDataset) -> None:
    """Refuse parts that would get lost."""
    below = [key for key, each in dataset.targets.items() if each.level != "record"]
    wrong = f"answers below the record, {below[0]!r}" if below else None
    wrong = wrong or ("weights" if dataset.weights is not None else None)
    wrong = wrong or ("static covariates" if dataset.static is not None else None)
    if wrong is not None:
        raise DataError(
            f"The data set has {wrong}, which a record of records cannot hold",
            code="not_nested",
            hint="Take them away with dataclasses.replace, and give the nested records their own.",
        )


def _inner(name: str, stream: Stream) -> Stream:
    """Give the records a stream holds."""
    if stream.inner is None:
        message = f"Stream {name!r} holds {stream.kind}, not records"
        raise DataError(message, code="not_nested", hint="Only what nest made is flattened.")
    return stream.inner


def _for_records(key: str, target: Target, owners: Integers) -> Target:
    """Make answers for each step answers for each record."""
    if target.level == "labels":
        message = f"Target {key!r} is a sequence of labels for the whole record"
        raise DataError(message, code="not_nested", hint="Take the target away before.")
    if target.level == "step":
        return replace(target, level="record", offsets=None, stream=None)
    return target.take(owners)
