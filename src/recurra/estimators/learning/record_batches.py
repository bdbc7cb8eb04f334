"""Batches of records, to learn from and to answer for: from memory, or from files in blocks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from recurra.data import ParquetRecords, SequenceDataset, Target
from recurra.data.batching import Batches, pad_records
from recurra.errors import DataError, DataWarning
from recurra.models import Answer, RecordBatch, SequenceNetwork

if TYPE_CHECKING:
    from recurra.types import Array, Integers

__all__ = [
    "answers",
    "endless",
    "endless_blocks",
    "in_order",
    "mean_loss",
    "sampled",
    "shortest_first",
]

LARGEST, MOST_STEPS = 256, 2**15  # records in a batch of predictions, and steps with padding
SAMPLE = 2048  # records that treatments are learned from, where there are more than memory holds
BLOCK = 512  # records in memory at a time, twice
MOST_AT_ONCE = 2**23  # numbers of an epoch that is gathered in one piece
MOST_PADDED = 1.5  # times as many steps as there are, with padding


def sampled(X: Any, seed: int) -> Any:
    """Draw some thousand records where there are more than memory holds.

    Parameters
    ----------
    X : ParquetRecords, or anything else
        The records.
    seed : int
        Source of chance.

    Returns
    -------
    SequenceDataset, or what came
        Of files a sample; all else as it is.
    """
    return X.sample(SAMPLE, seed) if isinstance(X, ParquetRecords) else X


def endless(dataset: SequenceDataset, size: int, seed: int) -> Iterator[RecordBatch]:
    """Go through the data again and again, records of like length together.

    Parameters
    ----------
    dataset : SequenceDataset
        Treated records.
    size : int
        Records in a batch.
    seed : int
        Source of chance.

    Yields
    ------
    RecordBatch
        The next.
    """
    batches = Batches(dataset.lengths, size, seed=seed)
    gather = _at_once if _fits_at_once(dataset) else _one_by_one
    yield from gather(dataset, map(batches.epoch, count()))


def _one_by_one(
    dataset: SequenceDataset, epochs: Iterable[list[Integers]]
) -> Iterator[RecordBatch]:
    for places in chain.from_iterable(epochs):
        yield RecordBatch.of(pad_records(dataset, places), dataset.ids)


def _at_once(dataset: SequenceDataset, epochs: Iterable[list[Integers]]) -> Iterator[RecordBatch]:
    """Pad all records once; the batches are views of them as an epoch puts them in order."""
    padded = RecordBatch.of(pad_records(dataset, np.arange(len(dataset))), dataset.ids).alike()
    lengths = dataset.lengths
    longest = int(lengths.max(initial=0))
    for epoch in epochs:
        order, sizes = np.concatenate(epoch), [*map(len, epoch)]
        most = np.maximum.reduceat(lengths[order], np.cumsum([0, *sizes[:-1]])).tolist()
        for steps, batch in zip(most, padded.take(order).parts(sizes), strict=True):
            yield batch if steps == longest else batch.within(steps)


def _fits_at_once(dataset: SequenceDataset) -> bool:
    """Whether an epoch is one stream, mostly not padding, and no burden on memory."""
    if len(dataset.streams) != 1 or any(map(_has_steps, dataset.targets.values())):
        return False
    (stream,) = dataset.streams.values()
    cells = len(dataset) * int(stream.lengths.max(initial=0))
    numbers = cells * int(np.prod(stream.values.shape[1:]))
    plain = stream.inner is None and cells <= MOST_PADDED * stream.rows
    return plain and numbers <= MOST_AT_ONCE


def _has_steps(target: Target) -> bool:
    return target.offsets is not None


def endless_blocks(
    records: ParquetRecords,
    treat: Callable[[SequenceDataset], SequenceDataset],
    left_out: frozenset[object],
    size: int,
    seed: int,
) -> Iterator[RecordBatch]:
    """Go through files again and again, some thousand records in memory.

    Parameters
    ----------
    records : ParquetRecords
        The files.
    treat : callable
        What is done to each block; what it has to tell was told of the sample already.
    left_out : frozenset
        The identifiers of records that are held back.
    size : int
        Records in a batch.
    seed : int
        Source of chance.

    Yields
    ------
    RecordBatch
        The next.
    """
    epoch = 0
    while True:
        for block in records.blocks(BLOCK, shuffle=seed + epoch):
            kept = [place for place, name in enumerate(block.ids) if name not in left_out]
            if not kept:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)
                treated = treat(block.take(kept))
            for places in Batches(treated.lengths, size, seed=seed + epoch):
                yield RecordBatch.of(pad_records(treated, places), treated.ids)
        epoch += 1


def mean_loss(network: nn.Module, dataset: SequenceDataset) -> float:
    """Return the mean loss of a network, as it is, over some records.

    Parameters
    ----------
    network : torch.nn.Module
        With ``loss(batch)``.
    dataset : SequenceDataset
        Treated records.

    Returns
    -------
    float
        The mean over all targets that are known.
    """
    total, count = 0.0, 0
    for _, batch in in_order(dataset):
        summed, counted, _ = network.loss(batch)  # type: ignore[operator]
        total, count = total + float(summed), count + int(counted)
    return total / max(count, 1)


@torch.no_grad()
def answers(network: SequenceNetwork, dataset: SequenceDataset) -> dict[str, Any]:
    """Answer for every record, in its place.

    Parameters
    ----------
    network : SequenceNetwork
        The network.
    dataset : SequenceDataset
        Treated records.

    Returns
    -------
    dict of str to ndarray of float64, or list of these
        By target, as the network says it: one array for all records; or, of targets for each step,
        one for each record, shape (steps, …).

    Raises
    ------
    DataError
        If there are no records.
    """
    if not len(dataset):
        message = "None of these records has a step, so there is nothing to answer"
        raise DataError(message, code="no_steps", hint="Give records with steps.")
    found: dict[str, list[Array]] = {name: [] for name in network.plan.answers}
    order = []
    for places, batch in in_order(dataset):
        order.append(places)
        for name, raw in network(batch).items():
            found[name] += _by_record(raw.double().numpy(), network.plan.answers[name], batch)
    back = np.argsort(np.concatenate(order), kind="stable")
    return {
        name: np.stack([parts[k] for k in back])
        if network.plan.answers[name].level == "record"
        else [parts[k] for k in back]
        for name, parts in found.items()
    }


def _by_record(raw: Array, answer: Answer, batch: RecordBatch) -> list[Array]:
    """Part what a batch was answered; steps of padding are no answers."""
    if answer.level == "record":
        return [*raw]
    lengths = batch.streams[str(answer.stream)].lengths.tolist()
    return [each[:steps] for each, steps in zip(raw, lengths, strict=True)]


def in_order(dataset: SequenceDataset) -> Iterator[tuple[Integers, RecordBatch]]:
    """Go through the data once, shortest records first.

    Parameters
    ----------
    dataset : SequenceDataset
        Treated records.

    Yields
    ------
    places : ndarray of int64
        Which records.
    batch : RecordBatch
        The records.
    """
    for places in shortest_first(dataset.lengths, LARGEST, MOST_STEPS):
        yield places, RecordBatch.of(pad_records(dataset, places))


def shortest_first(lengths: Integers, records: int, steps: int) -> Iterator[Integers]:
    """Put records of like length together, each once, the shortest first.

    Parameters
    ----------
    lengths : ndarray of int64, shape (records,)
        Steps of each record.
    records : int
        The most together.
    steps : int
        The most steps together, padding included; a longer record is alone.

    Yields
    ------
    ndarray of int64
        Which records.

    Examples
    --------
    >>> [few.tolist() for few in shortest_first(np.array([3, 9, 2, 4]), 3, 8)]
    [[2, 0], [3], [1]]
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = np.maximum(lengths[order[start : start + records]], 1)
        cells = longest * np.arange(1, len(longest) + 1)
        together = max(int(np.searchsorted(cells, steps, side="right")), 1)
        yield order[start : start + together]
        start += together
