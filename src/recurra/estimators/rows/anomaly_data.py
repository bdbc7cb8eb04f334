"""What an `AnomalyDetector` reads: stretches of rows to learn from, windows to tell again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from recurra.data import SequenceDataset, Stream
from recurra.errors import DataError, OptionError
from recurra.metrics.anomaly import events_of
from recurra.models.rows.next_step_network import RowBatch
from recurra.types import Booleans, Floats, Integers, Reals

__all__ = ["Rows", "endless_stretches", "read_events", "windows_of"]

MOST_WINDOWS = 1024  # told again at a time


class Rows:
    """Treated rows, flat, as a network reads them: far values drawn in, holes 0.

    Parameters
    ----------
    stream : Stream
        Treated.
    channels : int
        How many are scored, the first ones.

    Attributes
    ----------
    scaled : ndarray of float64, shape (steps, channels)
        Scaled values, NaN where nothing was observed.
    values : ndarray of float32, shape (steps, channels + extras)
        The same through the inverse hyperbolic sine, which is a straight line near 0 and a
        logarithm far off; beside them the extras.
    observed : ndarray of bool, shape (steps, channels + extras)
        Where there is a value.
    """

    def __init__(self, stream: Stream, channels: int) -> None:
        self.offsets, self.channels = stream.offsets, channels
        self.observed: Booleans = stream.mask
        whole = np.nan_to_num(stream.values.astype(np.float64))
        self.scaled: Floats = np.where(self.observed, whole, np.nan)[:, :channels]
        drawn = np.concatenate([np.arcsinh(whole[:, :channels]), whole[:, channels:]], 1)
        self.values: Reals = drawn.astype(np.float32)

    def batch(self, starts: Integers, lengths: Integers) -> RowBatch:
        """Gather stretches of rows.

        Parameters
        ----------
        starts, lengths : ndarray of int64, shape (batch,)
            The first row of each, and how many.

        Returns
        -------
        RowBatch
            Padded on the right.
        """
        time = np.arange(int(lengths.max(initial=0)))
        there = time < lengths[:, None]
        rows = np.where(there, starts[:, None] + time, 0)
        values = np.where(there[..., None], self.values[rows], 0.0).astype(np.float32)
        observed = self.observed[rows] & there[..., None]
        return RowBatch(
            torch.from_numpy(values), torch.from_numpy(observed), torch.from_numpy(lengths)
        )


def endless_stretches(
    rows: Rows, weights: Floats, size: int, steps: int, seed: int
) -> Iterator[RowBatch]:
    """Draw stretches of rows, from records in the measure of their length and weight.

    Parameters
    ----------
    rows : Rows
        Of all records.
    weights : ndarray of float64, shape (records,)
        How much each record counts.
    size : int
        Stretches in a batch.
    steps : int
        Rows of a stretch; of a shorter record, all of it.
    seed : int
        Source of chance.

    Yields
    ------
    RowBatch
        The next.
    """
    chance = np.random.default_rng(seed)
    lengths = np.diff(rows.offsets)
    share = lengths * weights / (lengths * weights).sum()
    while True:
        record = chance.choice(len(lengths), size, p=share)
        length = np.minimum(lengths[record], steps)
        start = chance.integers(0, lengths[record] - length + 1)
        yield rows.batch(rows.offsets[:-1][record] + start, length)


def windows_of(rows: Rows, record: int, steps: int) -> Iterator[RowBatch]:
    """Give the window that ends at each row of a record; the first ones are shorter.

    Parameters
    ----------
    rows : Rows
        Of all records.
    record : int
        Which.
    steps : int
        Rows of a window.

    Yields
    ------
    RowBatch
        Some windows, in order.
    """
    first, stop = int(rows.offsets[record]), int(rows.offsets[record + 1])
    for begin in range(first, stop, MOST_WINDOWS):
        ends = np.arange(begin, min(begin + MOST_WINDOWS, stop))
        starts = np.maximum(ends - steps + 1, first)
        yield rows.batch(starts, ends - starts + 1)


def read_events(y: Any, dataset: SequenceDataset) -> list[list[tuple[int, int]]]:
    """Read labels, one for each step, as events.

    Parameters
    ----------
    y : sequence of array-like, shape (steps,)
        For each record 0 or 1 at each step.
    dataset : SequenceDataset
        The records.

    Returns
    -------
    list of list of (int, int)
        The first and the last step of each event.

    Raises
    ------
    DataError
        If a record has not as many labels as steps, or a label is neither 0 nor 1.
    """
    if not isinstance(y, Sequence | np.ndarray) or len(y) != len(dataset):
        raise OptionError(f"y has to hold labels for each of {len(dataset)} records.")
    found = []
    for flags, name, steps in zip(y, dataset.ids, dataset.lengths, strict=True):
        given = np.asarray(flags)
        if given.shape != (steps,):
            message = f"There are labels of shape {given.shape} for {steps} steps"
            hint = "Give one 0 or 1 for each step."
            raise DataError(message, code="target_length", record=name, hint=hint)
        odd = np.flatnonzero((given != 0) & (given != 1))
        if odd.size:
            value, hint = given[odd[0]].item(), "Give 1 inside of anomalies, else 0."
            message, row = "A label is neither 0 nor 1", int(odd[0])
            raise DataError(message, code="no_label", record=name, row=row, value=value, hint=hint)
        found.append(events_of(given))
    return found
