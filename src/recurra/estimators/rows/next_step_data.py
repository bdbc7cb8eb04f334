"""What `NextStep` reads: rows of numbers or of flags, held back, put in batches, scaled back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurra.data import Preprocessor, SequenceDataset, Stream
from recurra.data.batching import Batches, pad_records
from recurra.data.offsets import place_of
from recurra.data.tables.notes import also_in, tell
from recurra.data.treatments import Scale
from recurra.errors import DataError, OptionError
from recurra.estimators.learning.record_batches import shortest_first
from recurra.estimators.learning.record_inputs import as_dataset
from recurra.models.records.records import RecordBatch
from recurra.models.rows.next_step_network import NextStepNetwork, NextStepState, RowBatch
from recurra.types import Array, Booleans, Floats, Integers

__all__ = [
    "are_flags",
    "as_rows",
    "check_flags",
    "check_rows",
    "endless_rows",
    "has_row_before",
    "held_ends",
    "in_pieces",
    "rows_in_order",
    "slopes_back",
    "states_after",
    "values_back",
]

LARGEST, MOST_CELLS = 64, 2**15  # records in a batch of answers, and steps with padding
NEAR = 1e-4  # how far to look, to either side, for a slope
SHORTEST_END = 10  # rows of an end that is held back


def as_rows(X: Any, y: Any, how: Any, name: str) -> SequenceDataset:
    """Read records of rows; what is learned is in the rows themselves.

    Parameters
    ----------
    X : SequenceDataset, or what `from_arrays` reads
        The records.
    y : None
        There is none.
    how : dict of str
        Further arguments of `from_arrays`.
    name : str
        The estimator.

    Returns
    -------
    SequenceDataset
        With one stream of numbers, and no targets.

    Raises
    ------
    DataError, OptionError
        If there are labels to be learned, several streams, or categories.
    """
    if y is not None:
        raise OptionError(f"{name} learns from the rows themselves. Leave y out: fit(X).")
    dataset = replace(as_dataset(X, None, **how), targets={})
    if len(dataset.streams) != 1:
        names = ", ".join(map(repr, dataset.streams))
        raise OptionError(f"{name} reads one stream, but there are several: {names}.")
    stream = dataset.stream
    if stream.kind != "values":
        raise OptionError(f"{name} reads rows of numbers, but this is a stream of {stream.kind}.")
    if stream.categories:
        column = next(iter(stream.categories))
        raise DataError(
            f"{name} foretells numbers, but this channel holds labels",
            code="channel_type",
            column=column,
            hint="Give a channel of 0 and 1 for each label, or use LanguageModel for one label.",
        )
    if dataset.static is not None:
        said = tell(f"{name} reads no static covariates: they are left out.")
        dataset = replace(dataset, static=None, notes=(*dataset.notes, said))
    return dataset


def are_flags(stream: Stream) -> bool:
    """Say whether all that was observed is 0 or 1.

    Parameters
    ----------
    stream : Stream
        The rows.

    Returns
    -------
    bool
        True for flags.
    """
    return not _odd_cells(stream).any()


def check_flags(dataset: SequenceDataset) -> None:
    """Refuse what is neither 0 nor 1, by place.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.

    Raises
    ------
    DataError
        ``not_binary``.
    """
    stream = dataset.stream
    odd = np.argwhere(_odd_cells(stream))
    if not len(odd):
        return
    row, column = (int(k) for k in odd[0])
    record, step = place_of(stream.offsets, row)
    raise DataError(
        f"A channel of a Bernoulli distribution is 0 or 1{also_in(len(odd))}",
        code="not_binary",
        record=dataset.ids[record],
        row=step,
        column=stream.channels[column],
        value=stream.values[row, column].item(),
        hint='Use likelihood="gaussian" for numbers.',
    )


def check_rows(dataset: SequenceDataset) -> None:
    """Refuse records from which nothing about the next row can be learned.

    Parameters
    ----------
    dataset : SequenceDataset
        What is to be learned from.

    Raises
    ------
    DataError
        If no record has two rows, or a channel was never observed.
    """
    stream = dataset.stream
    if stream.lengths.max(initial=0) < 2:
        raise DataError(
            f"None of {len(dataset)} records has two rows, so there is no next one",
            code="too_short",
            hint="Give a list of records, each of shape (rows, channels); a single one as [rows].",
        )
    never = ~stream.mask.any(0)
    if never.any():
        column = stream.channels[int(never.argmax())]
        message, hint = "The channel was never observed", "Leave it out."
        raise DataError(message, code="all_missing", column=column, hint=hint)


def endless_rows(treated: SequenceDataset, size: int, seed: int) -> Iterator[RowBatch]:
    """Go through the records again and again, those of like length together.

    Parameters
    ----------
    treated : SequenceDataset
        Treated records.
    size : int
        Records in a batch.
    seed : int
        Source of chance.

    Yields
    ------
    RowBatch
        The next.
    """
    batches = Batches(treated.lengths, size, seed=seed)
    while True:
        for places in batches:
            yield _batch(treated, places)


def rows_in_order(treated: SequenceDataset) -> Iterator[tuple[Integers, RowBatch]]:
    """Go through the records once, the shortest first.

    Parameters
    ----------
    treated : SequenceDataset
        Treated records.

    Yields
    ------
    places : ndarray of int64
        Which records.
    batch : RowBatch
        Their rows.
    """
    for places in shortest_first(treated.lengths, LARGEST, MOST_CELLS):
        yield places, _batch(treated, places)


def in_pieces(
    network: NextStepNetwork, batch: RowBatch
) -> Iterator[tuple[RowBatch, Tensor, NextStepState]]:
    """Read rows, those of long records in pieces: what a layer says of each step takes memory.

    Parameters
    ----------
    network : NextStepNetwork
        Which reads them.
    batch : RowBatch
        The rows.

    Yields
    ------
    piece : RowBatch
        The rows of the next 32768 steps, or all if there are no more.
    raw : Tensor, shape (batch, time, channels, size)
        What the network says of them.
    state : NextStepState
        After them.
    """
    state = None
    for piece in (batch,) if batch.values.shape[1] <= MOST_CELLS else batch.chunks(MOST_CELLS):
        raw, state = network(piece, state)
        yield piece, raw, state


@torch.no_grad()
def states_after(network: NextStepNetwork, batch: RowBatch) -> list[Floats]:
    """Give the states of a network after each row.

    Parameters
    ----------
    network : NextStepNetwork
        Which reads them.
    batch : RowBatch
        The rows.

    Returns
    -------
    list of ndarray of float64, shape (steps, hidden_size)
        What its layer says of each record once a row is read: what the next one is foretold by.
    """
    before, inner = network.start(len(batch))
    rows = torch.cat([before[:, None], network.as_read(batch.values, batch.observed)], 1)
    said, _ = network.layer(rows, inner, lengths=batch.lengths + 1)
    steps = batch.lengths.tolist()
    return [each[1 : k + 1] for each, k in zip(said.double().numpy(), steps, strict=True)]


def held_ends(
    dataset: SequenceDataset, share: float
) -> tuple[SequenceDataset, SequenceDataset | None]:
    """Hold the ends of records back, where there are too few records to hold some back whole.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.
    share : float
        Of the rows of each record, 0 to 1.

    Returns
    -------
    kept : SequenceDataset
        The beginnings.
    held : SequenceDataset or None
        The ends; None where they are too short to tell anything.
    """
    stream = dataset.stream
    ends = (stream.lengths * share).astype(np.int64)
    if not share or ends.max(initial=0) < SHORTEST_END:
        return dataset, None
    cuts = stream.offsets[1:] - ends
    (name,) = dataset.streams
    kept = dataset.with_streams(**{name: stream.cut(stream.offsets[:-1], cuts)})
    held = dataset.with_streams(**{name: stream.cut(cuts, stream.offsets[1:])})
    return kept, held.take(np.flatnonzero(ends > 0))


def has_row_before(stream: Stream) -> Booleans:
    """Say which rows have one before them in their record.

    Parameters
    ----------
    stream : Stream
        The rows.

    Returns
    -------
    ndarray of bool, shape (steps,)
        False for the first row of each record.
    """
    inside = np.ones(stream.rows, bool)
    inside[stream.offsets[:-1][stream.lengths > 0]] = False
    return inside


def values_back(values: Array, preprocessor: Preprocessor, channels: tuple[str, ...]) -> Floats:
    """Write scaled rows in the units of the data.

    Parameters
    ----------
    values : ndarray, shape (..., channels)
        Scaled.
    preprocessor : Preprocessor
        The fitted treatments.
    channels : tuple of str
        What the columns are called.

    Returns
    -------
    ndarray of float64, shape (..., channels)
        In the units of the data.
    """
    back = np.array(values, np.float64)
    pairs = zip(preprocessor.treatments, preprocessor.learned_, strict=True)
    for treatment, learned in reversed(list(pairs)):
        if not isinstance(treatment, Scale):
            continue
        scaled = {
            name for key, names in learned.items() if key.endswith("/channels") for name in names
        }
        for k, name in enumerate(channels):
            if name in scaled:
                back[..., k] = treatment.undo_values(back[..., k], learned, name)
    return back


def slopes_back(values: Array, preprocessor: Preprocessor, channels: tuple[str, ...]) -> Floats:
    """Say how much the value of each channel moves when the scaled one moves by one.

    Parameters
    ----------
    values : ndarray, shape (..., channels)
        Scaled.
    preprocessor : Preprocessor
        The fitted treatments.
    channels : tuple of str
        What the columns are called.

    Returns
    -------
    ndarray of float64, shape (..., channels)
        The slopes; not negative.
    """
    values = np.asarray(values, np.float64)
    above = values_back(values + NEAR, preprocessor, channels)
    below = values_back(values - NEAR, preprocessor, channels)
    return np.maximum((above - below) / (2 * NEAR), 0.0)


def _batch(treated: SequenceDataset, places: Integers) -> RowBatch:
    batch = RecordBatch.of(pad_records(treated, places))
    (stream,) = batch.streams.values()
    weights = None if batch.weights is None else batch.weights.to(torch.float32)
    return RowBatch.of(stream, weights)


def _odd_cells(stream: Stream) -> Booleans:
    values = stream.values
    odd: Booleans = stream.mask & (values != 0) & (values != 1)
    return odd
