"""The data made ready to be looked at: sorted, what is truly there, and what is to be learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from recurra.auditing.opened import as_dataset
from recurra.data.panel.wall import to_wall
from recurra.data.sequences import STATIC, SequenceDataset, Stream, Target
from recurra.data.sequences.stream import SECOND
from recurra.data.treatments.sorting import steps_back
from recurra.errors import DataError, OptionError, near
from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["Case", "View"]

MEASURED = ("values", "signal")


@dataclass(frozen=True, eq=False)
class View:
    """One stream, in the order of time.

    Parameters
    ----------
    name : str
        What it is called.
    stream : Stream
        Sorted; without times where some are unknown.
    seen : ndarray of bool, shape (rows, channels)
        Where there is a value that is finite.
    back : int
        How many steps were earlier than the one before.
    unknown_times, broken : int
        How many times, and how many values that are said to be observed, are NaN or infinite.
    """

    name: str
    stream: Stream
    seen: Booleans
    back: int = 0
    unknown_times: int = 0
    broken: int = 0

    @classmethod
    def of(cls, name: str, stream: Stream) -> View:
        """Make a stream ready.

        Parameters
        ----------
        name : str
            What it is called.
        stream : Stream
            As it came.

        Returns
        -------
        View
            Ready.
        """
        unknown, back = 0, steps_back(stream)
        if stream.times is not None and stream.times.dtype.kind == "f":
            unknown = int((~np.isfinite(stream.times)).sum())
        if unknown:
            stream, back = replace(stream, times=None, clock="step"), np.zeros(0, np.int64)
        if back.size:
            order = np.lexsort((stream.clock_times, stream.owners))
            stream = stream.picked(order, stream.offsets)
        seen, broken = stream.mask, 0
        if stream.kind in MEASURED and stream.values.dtype.kind == "f":
            finite = np.isfinite(stream.values)
            broken = int((seen & ~finite).sum())
            seen = seen & finite
        return cls(name, stream, seen, int(back.size), unknown, broken)

    @property
    def measured(self) -> bool:
        """Whether it holds measurements, channel by channel."""
        return self.stream.kind in MEASURED

    @property
    def wall(self) -> Integers:
        """The clock on the wall, in nanoseconds; for calendars only."""
        return to_wall(self.stream.clock_times, self.stream.zone)

    @property
    def places(self) -> Integers:
        """The first row of each record, and the end."""
        return self.stream.offsets

    @cached_property
    def inner(self) -> Booleans:
        """Whether a row has one before it in its record, shape (rows,)."""
        found = np.ones(self.stream.rows, bool)
        found[self.places[:-1][self.stream.lengths > 0]] = False
        return found

    @cached_property
    def gaps(self) -> Floats:
        """Time from row to row within records: seconds, or the clock's units."""
        stretch = np.diff(self.stream.clock_times)[self.inner[1:]]
        found: Floats = stretch / SECOND if self.stream.clock == "calendar" else stretch * 1.0
        return found

    def is_coded(self, k: int) -> bool:
        """Say whether a channel holds labels.

        Parameters
        ----------
        k : int
            The channel.

        Returns
        -------
        bool
            True for codes of categories.
        """
        return self.stream.channels[k] in self.stream.categories

    def column(self, k: int) -> Array:
        """Give what was observed of a channel.

        Parameters
        ----------
        k : int
            The channel.

        Returns
        -------
        ndarray, shape (observed,)
            Of the stream's own type.
        """
        return self.stream.values[self.seen[:, k], k]


@dataclass(frozen=True, eq=False)
class Case:
    """All that is looked at.

    Parameters
    ----------
    dataset : SequenceDataset
        The data, or those records of it that were drawn.
    views : dict of str to View
        Its streams, and the static covariates as one of them.
    targets : dict of str to Target
        What is to be learnt of them.
    test : SequenceDataset, optional
        Other data, for the same model to be judged by.
    ahead : tuple of (str, str), optional
        The stream and the channel to be forecast.
    total : int
        How many records there were before some were drawn.
    """

    dataset: SequenceDataset
    views: Mapping[str, View]
    targets: Mapping[str, Target]
    test: SequenceDataset | None = None
    ahead: tuple[str, str] | None = None
    total: int = 0

    @classmethod
    def of(
        cls,
        data: Any,
        test: Any = None,
        target: str | None = None,
        most_records: int | None = None,
        seed: int = 0,
    ) -> Case:
        """Make data ready; arguments as those of `recurra.auditing.audit`.

        Parameters
        ----------
        data, test : SequenceDataset, Panel, DataFrame or anything `read` takes
            The data, and other data.
        target : str, optional
            A target, or a channel to be forecast.
        most_records : int, optional
            How many records are looked at.
        seed : int
            Draws them.

        Returns
        -------
        Case
            Ready.
        """
        dataset, ahead = as_dataset(data)
        total = len(dataset)
        if not total:
            raise DataError("There are no records", code="empty", hint="Give at least one.")
        if most_records is not None and total > most_records:
            chosen = np.random.default_rng(seed).choice(total, most_records, replace=False)
            dataset = dataset.take(np.sort(chosen))
        targets, ahead = _chosen(dataset, target, ahead)
        streams = dict(dataset.streams)
        if dataset.static is not None:
            streams[STATIC] = dataset.static
        views = {name: View.of(name, stream) for name, stream in streams.items()}
        return cls(
            dataset, views, targets, None if test is None else as_dataset(test)[0], ahead, total
        )

    @property
    def streams(self) -> dict[str, View]:
        """The views of streams, without the static covariates."""
        return {n: view for n, view in self.views.items() if n != STATIC}

    def called(self, stream: str, channel: str) -> str:
        """Say which channel is meant.

        Parameters
        ----------
        stream, channel : str
            Where, and which.

        Returns
        -------
        str
            With its stream, where there are several.
        """
        plain = len(self.streams) == 1 or stream == STATIC
        return channel if plain else f"{stream}.{channel}"


def _chosen(
    dataset: SequenceDataset, target: str | None, ahead: tuple[str, str] | None
) -> tuple[dict[str, Target], tuple[str, str] | None]:
    """Choose what is to be learnt: a target, or a channel to be forecast."""
    if target is None or (ahead is not None and target == ahead[1]):
        return dict(dataset.targets), ahead
    if target in dataset.targets:
        return {target: dataset.targets[target]}, None
    channels = {c: n for n, stream in dataset.streams.items() for c in stream.channels}
    if target in channels:
        return {}, (channels[target], target)
    known = [*dataset.targets, *channels]
    raise OptionError(f"There is no target or channel {target!r}. {near(target, known)}")
