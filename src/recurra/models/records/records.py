"""Some records of a data set as tensors: streams padded to a common length, static, targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, repeat

import torch
from torch import Tensor

from recurra.data.batching import Padded, PaddedRecords
from recurra.errors import TrainingError
from recurra.types import Array, Booleans, Integers

__all__ = ["RecordBatch", "StreamBatch"]


@dataclass(frozen=True)
class StreamBatch:
    """One stream of some records.

    Attributes
    ----------
    values : Tensor, shape (batch, time, channels) or (batch, time, height, width, colours)
        Finite everywhere; codes are int64.
    observed : Tensor of bool, shape (batch, time, channels)
        Where there was a value; False on padding. ``(batch, time, 1)`` for frames.
    lengths : Tensor of int64, shape (batch,)
        Real steps of each record.
    times : Tensor, shape (batch, time)
        Time since the record's origin, in seconds or the clock's units.
    inner : StreamBatch, optional
        The records that the steps are, for a stream of records; in the order of the real steps.
    """

    values: Tensor
    observed: Tensor
    lengths: Tensor
    times: Tensor
    inner: StreamBatch | None = None

    @classmethod
    def of(cls, padded: Padded) -> StreamBatch:
        """Take up arrays.

        Parameters
        ----------
        padded : Padded
            The arrays.

        Returns
        -------
        StreamBatch
            The same memory.
        """
        inner = None if padded.inner is None else cls.of(padded.inner)
        values, observed = torch.from_numpy(padded.values), torch.from_numpy(padded.observed)
        lengths, times = torch.from_numpy(padded.lengths), torch.from_numpy(padded.times)
        return cls(values, observed, lengths, times, inner)

    def rows(self, start: int, stop: int) -> StreamBatch:
        """Take some of the records, and of the records that their steps are.

        Parameters
        ----------
        start, stop : int
            The first, and the one after the last.

        Returns
        -------
        StreamBatch
            Views of the same memory.
        """
        part, inner = slice(start, stop), self.inner
        if inner is not None:  # one for each real step, in order
            first = int(self.lengths[:start].sum())
            inner = inner.rows(first, first + int(self.lengths[part].sum()))
        return StreamBatch(
            self.values[part], self.observed[part], self.lengths[part], self.times[part], inner
        )

    def parts(self, sizes: list[int]) -> Iterator[StreamBatch]:
        """Part the records; not those of records within records.

        Parameters
        ----------
        sizes : list of int
            How many records each part has.

        Yields
        ------
        StreamBatch
            Views of the same memory.
        """
        assert self.inner is None
        each = (self.values, self.observed, self.lengths, self.times)
        return map(StreamBatch, *(one.split(sizes) for one in each))

    def take(self, places: Integers) -> StreamBatch:
        """Take records in another order.

        Parameters
        ----------
        places : ndarray of int64, shape (records,)
            Which of them.

        Returns
        -------
        StreamBatch
            Copies, but of what is `alike`.
        """
        assert self.inner is None  # those within would have to be found first
        return StreamBatch(
            _taken(self.values, places),
            _taken(self.observed, places),
            _taken(self.lengths, places),
            _taken(self.times, places),
        )

    def alike(self) -> StreamBatch:
        """Hold times, and what was observed, once where they are the same for all records.

        Returns
        -------
        StreamBatch
            Equal; which are then taken without a copy.
        """
        return replace(self, observed=_held_once(self.observed), times=_held_once(self.times))

    def within(self, steps: int) -> StreamBatch:
        """Leave out what is padding of all records.

        Parameters
        ----------
        steps : int
            Steps that hold the longest record.

        Returns
        -------
        StreamBatch
            Views of the same memory.
        """
        part = slice(steps)
        return StreamBatch(
            self.values[:, part],
            self.observed[:, part],
            self.lengths,
            self.times[:, part],
            self.inner,
        )

    @property
    def valid(self) -> Tensor:
        """Which steps are real, shape (batch, time)."""
        return torch.arange(self.times.shape[1]) < self.lengths[:, None]


@dataclass(frozen=True)
class RecordBatch:
    """Some records.

    Attributes
    ----------
    streams : dict of str to StreamBatch
        The inputs.
    static : StreamBatch, optional
        What holds for a whole record: one step.
    targets : dict of str to Tensor
        By name, shape (batch, outputs) or (batch, time, outputs): int64 codes, -1 where unknown or
        padding; or floats, NaN there.
    weights : Tensor, shape (batch,), optional
        How much each record counts.
    names : tuple
        What the records are called.
    """

    streams: Mapping[str, StreamBatch]
    static: StreamBatch | None
    targets: Mapping[str, Tensor]
    weights: Tensor | None = None
    names: tuple[object, ...] = ()

    @classmethod
    def of(cls, padded: PaddedRecords, ids: Sequence[object] = ()) -> RecordBatch:
        """Take up arrays.

        Parameters
        ----------
        padded : PaddedRecords
            The arrays.
        ids : sequence, optional
            What all records of the data set are called.

        Returns
        -------
        RecordBatch
            The same memory.
        """
        return cls(
            {name: StreamBatch.of(each) for name, each in padded.streams.items()},
            _one_step(padded.static, padded.static_observed),
            {name: torch.from_numpy(each) for name, each in padded.targets.items()},
            None if padded.weights is None else torch.from_numpy(padded.weights),
            tuple(map(ids.__getitem__, padded.places.tolist())) if ids else (),
        )

    def __len__(self) -> int:
        """Count the records."""
        first = next(iter(self.streams.values()), self.static)
        return 0 if first is None else len(first.lengths)

    def rows(self, start: int, stop: int) -> RecordBatch:
        """Take some of the records.

        Parameters
        ----------
        start, stop : int
            The first, and the one after the last.

        Returns
        -------
        RecordBatch
            Views of the same memory, as long as the longest of all.
        """
        part = slice(start, stop)
        return RecordBatch(
            {name: each.rows(start, stop) for name, each in self.streams.items()},
            None if self.static is None else self.static.rows(start, stop),
            {name: each[part] for name, each in self.targets.items()},
            None if self.weights is None else self.weights[part],
            self.names[part],
        )

    def parts(self, sizes: list[int]) -> Iterator[RecordBatch]:
        """Part the records; not those of records within records.

        Parameters
        ----------
        sizes : list of int
            How many records each part has.

        Yields
        ------
        RecordBatch
            Views of the same memory, as long as the longest of all: what `rows` takes, all at once.
        """
        streams = [each.parts(sizes) for each in self.streams.values()]
        static = repeat(None) if self.static is None else self.static.parts(sizes)
        targets = [iter(each.split(sizes)) for each in self.targets.values()]
        weights = repeat(None) if self.weights is None else self.weights.split(sizes)
        starts, names = accumulate(sizes, initial=0), self.names
        for size, start, one, weight in zip(sizes, starts, static, weights, strict=False):
            yield RecordBatch(
                dict(zip(self.streams, map(next, streams), strict=True)),
                one,
                dict(zip(self.targets, map(next, targets), strict=True)),
                weight,
                names[start : start + size],
            )

    def take(self, places: Integers) -> RecordBatch:
        """Take records in another order; not of records within records.

        Parameters
        ----------
        places : ndarray of int64, shape (records,)
            Which of them.

        Returns
        -------
        RecordBatch
            Copies, but of what is `alike`.
        """
        return RecordBatch(
            {name: each.take(places) for name, each in self.streams.items()},
            None if self.static is None else self.static.take(places),
            {name: _taken(each, places) for name, each in self.targets.items()},
            None if self.weights is None else _taken(self.weights, places),
            tuple(map(self.names.__getitem__, places.tolist())) if self.names else (),
        )

    def alike(self) -> RecordBatch:
        """Hold times, and what was observed, once where they are the same for all records.

        Returns
        -------
        RecordBatch
            Equal; which are then taken without a copy.
        """
        return replace(self, streams={name: each.alike() for name, each in self.streams.items()})

    def within(self, steps: int) -> RecordBatch:
        """Leave out what is padding of all records; targets are of whole records.

        Parameters
        ----------
        steps : int
            Steps that hold the longest record, in every stream.

        Returns
        -------
        RecordBatch
            Views of the same memory.
        """
        streams = {name: each.within(steps) for name, each in self.streams.items()}
        return replace(self, streams=streams)

    def chunks(self, steps: int) -> Iterator[RecordBatch]:
        """Refuse to cut: what is said of a whole record needs all of its steps."""
        raise TrainingError(
            f"truncation={steps} cuts records in pieces, but the answer needs a whole record. Use "
            "Training(truncation=None), or shorter windows of the records."
        )


def _held_once(tensor: Tensor) -> Tensor:
    """Keep the first row alone, repeated by its stride, where all are equal to it."""
    rows = tensor.numpy()  # by NumPy, as below
    same = len(rows) > 0 and bool((rows == rows[0]).all())
    return tensor[:1].clone().expand(tensor.shape) if same else tensor


def _taken(tensor: Tensor, places: Integers) -> Tensor:
    if not tensor.stride(0):  # one row, repeated
        return tensor[:1].expand(len(places), *tensor.shape[1:])
    # by NumPy, which does it alone: torch would wake its threads, and they the engine's
    return torch.from_numpy(tensor.numpy().take(places, 0))


def _one_step(values: Array | None, observed: Booleans | None) -> StreamBatch | None:
    """Take up static covariates as a stream of one step."""
    if values is None or observed is None:
        return None
    count = len(values)
    return StreamBatch(
        torch.from_numpy(values)[:, None],
        torch.from_numpy(observed)[:, None],
        torch.ones(count, dtype=torch.int64),
        torch.zeros(count, 1),
    )
