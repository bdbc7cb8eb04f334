"""One input of many records, on its own clock, stored flat: no padding before there is a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np

from recurra.data.offsets import offsets_of
from recurra.errors import OptionError, near
from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["LARGEST_VALUE", "Kind", "Steps", "Stream", "flat_rows"]

Kind = Literal["values", "tokens", "signal", "frames", "records"]
KINDS = ("values", "tokens", "signal", "frames", "records")
CLOCKS = ("step", "number", "calendar")
SECOND = 1e9

LARGEST_VALUE = 1e30
"""More than this single precision cannot work with."""


class Steps(NamedTuple):
    """One record's part of a stream, as views.

    Parameters
    ----------
    values : ndarray, shape (steps, channels) or (steps, height, width, colours)
        What was seen.
    observed : ndarray of bool, shape (steps, channels)
        Where there is a value; ``(steps, 1)`` for frames.
    times : ndarray, shape (steps,)
        When.
    """

    values: Array
    observed: Booleans
    times: Array


@dataclass(frozen=True, eq=False)
class Stream:
    """One input of many records, on its own clock, stored flat.

    Record ``i`` is the rows from ``offsets[i]`` to ``offsets[i + 1]``, in the order of time. It may
    have no rows at all.

    Parameters
    ----------
    values : ndarray, shape (steps, channels) or (steps, height, width, colours)
        What was seen, of any real or integer type; NaN, or anything, where nothing was observed.
        Categories and tokens are codes, places in `categories`. For ``"records"`` it has no use.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    channels : tuple of str
        What the columns are called; of frames, the colours.
    kind : {"values", "tokens", "signal", "frames", "records"}
        Measurements and categories; words or letters; a raw signal; images; or records of their
        own (sentences of a document), which `inner` holds.
    observed : ndarray of bool, shape (steps, channels), optional
        Where there is a value; ``(steps, 1)`` for frames. None where all was observed.
    times : ndarray of int64 or float64, shape (steps,), optional
        When: nanoseconds since 1970 in UTC for a ``"calendar"`` clock, else the user's numbers.
        None for a ``"step"`` clock, which counts 0, 1, 2 …
    clock : {"step", "number", "calendar"}
        What the times are.
    zone : str, optional
        The time zone of a calendar.
    rate : float, optional
        Steps a second, of a signal.
    categories : dict of str to tuple
        The labels of the channels that hold codes.
    inner : Stream, optional
        For ``"records"``: step ``k`` of this stream is record ``k`` of that one.

    Examples
    --------
    >>> stream = Stream(np.array([[1.0], [2.0], [3.0]]), np.array([0, 2, 3]), ("pulse",))
    >>> len(stream), stream.lengths, stream.at(0).values.ravel()
    (2, array([2, 1]), array([1., 2.]))
    >>> stream.take([1, 0]).values.ravel()
    array([3., 1., 2.])
    """

    values: Array
    offsets: Integers
    channels: tuple[str, ...]
    kind: Kind = "values"
    observed: Booleans | None = None
    times: Array | None = None
    clock: str = "step"
    zone: str | None = None
    rate: float | None = None
    categories: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    inner: Stream | None = None

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together."""
        if self.kind not in KINDS:
            raise OptionError(f"A stream's kind is one of {KINDS}, not {self.kind!r}.")
        if self.clock not in CLOCKS or (self.clock == "step") != (self.times is None):
            raise OptionError(f"clock={self.clock!r} does not go with times={self.times!r}.")
        rows = int(self.offsets[-1])
        if self.kind == "records":
            if self.inner is None or len(self.inner) != rows:
                raise OptionError(f"A stream of records needs an inner stream of {rows} records.")
            return
        for name, array in (("values", self.values), ("times", self.times)):
            if array is not None and len(array) != rows:
                raise OptionError(f"{name} has {len(array)} rows, but offsets end at {rows}.")
        if self.values.ndim != (4 if self.kind == "frames" else 2):
            axes = (
                "(steps, height, width, colours)" if self.kind == "frames" else "(steps, channels)"
            )
            raise OptionError(f"values has shape {self.values.shape}, but {axes} is read.")
        if self.values.shape[-1] != len(self.channels):
            message = f"values has {self.values.shape[-1]} channels"
            raise OptionError(f"{message}, but {len(self.channels)} are named.")
        if self.observed is not None and self.observed.shape != (rows, self.width):
            shape = (rows, self.width)
            raise OptionError(f"observed has shape {self.observed.shape}, but must have {shape}.")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        shape = f"{len(self)} records, {self.rows} steps of {self.kind}"
        names = ", ".join(self.channels[:4]) + (", …" if len(self.channels) > 4 else "")
        return f"Stream({shape}: {names})"

    @property
    def rows(self) -> int:
        """How many steps all records have together."""
        return int(self.offsets[-1])

    @property
    def width(self) -> int:
        """How many columns `observed` has."""
        return 1 if self.kind in ("frames", "records") else len(self.channels)

    @property
    def lengths(self) -> Integers:
        """How many steps each record has."""
        return np.diff(self.offsets)

    @property
    def mask(self) -> Booleans:
        """Where there is a value, shape (steps, channels); made where all was observed."""
        return np.ones((self.rows, self.width), bool) if self.observed is None else self.observed

    @property
    def owners(self) -> Integers:
        """The record of each row, shape (steps,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def clock_times(self) -> Array:
        """When each step was, shape (steps,); 0, 1, 2 … of each record for a clock of steps."""
        if self.times is not None:
            return self.times
        places = np.arange(self.rows) - np.repeat(self.offsets[:-1], self.lengths)
        return places if self.rate is None else places / self.rate

    def since(self, origins: Array) -> Floats:
        """Measure time from a moment of each record.

        Parameters
        ----------
        origins : ndarray, shape (records,)
            The moments, as this clock writes them.

        Returns
        -------
        ndarray of float64, shape (steps,)
            Seconds for a calendar or a signal with a rate, else the user's units.
        """
        stretch = self.clock_times - np.repeat(np.asarray(origins), self.lengths)
        return stretch / SECOND if self.clock == "calendar" else stretch.astype(np.float64)

    @property
    def gaps(self) -> Floats:
        """Time since the step before, shape (steps,): 0 at a record's first step; as in `since`."""
        times = self.clock_times
        stretch = np.zeros(self.rows)
        stretch[1:] = np.diff(times)
        stretch[self.offsets[:-1][self.lengths > 0]] = 0.0
        return stretch / SECOND if self.clock == "calendar" else stretch

    def channel(self, name: str) -> int:
        """Find a channel.

        Parameters
        ----------
        name : str
            What it is called.

        Returns
        -------
        int
            Its column.
        """
        if name not in self.channels:
            raise OptionError(f"There is no channel {name!r}. {near(name, self.channels)}")
        return self.channels.index(name)

    def at(self, i: int) -> Steps:
        """Show one record.

        Parameters
        ----------
        i : int
            Its place.

        Returns
        -------
        Steps
            Views, not copies, where the arrays are there.
        """
        a, b = int(self.offsets[i]), int(self.offsets[i + 1])
        seen = np.ones((b - a, self.width), bool) if self.observed is None else self.observed[a:b]
        when = np.arange(b - a) / (self.rate or 1) if self.times is None else self.times[a:b]
        return Steps(self.values[a:b], seen, when)

    def take(self, places: object) -> Stream:
        """Pick records by place.

        Parameters
        ----------
        places : sequence of int
            The places, in the order wanted.

        Returns
        -------
        Stream
            Those records.
        """
        index = np.asarray(places, np.int64)
        return self.cut(self.offsets[:-1][index], self.offsets[1:][index])

    def cut(self, starts: Integers, stops: Integers) -> Stream:
        """Keep some stretches of rows, one record each.

        Parameters
        ----------
        starts, stops : ndarray of int64, shape (new records,)
            The first row of each new record, and the row after its last.

        Returns
        -------
        Stream
            With as many records as there are stretches.
        """
        lengths = stops - starts
        offsets = offsets_of(lengths)
        return self.picked(flat_rows(starts, lengths), offsets)

    def picked(self, rows: Array | slice, offsets: Integers) -> Stream:
        """Pick rows, and say which records they make.

        Parameters
        ----------
        rows : ndarray of int64, or slice
            The rows, in the order wanted.
        offsets : ndarray of int64, shape (new records + 1,)
            Where each new record starts.

        Returns
        -------
        Stream
            With those rows.
        """
        if self.inner is not None:
            places = np.arange(self.rows)[rows]
            return replace(
                self,
                inner=self.inner.take(places),
                offsets=offsets,
                times=None if self.times is None else self.times[rows],
            )
        return replace(
            self,
            values=self.values[rows],
            offsets=offsets,
            observed=None if self.observed is None else self.observed[rows],
            times=None if self.times is None else self.times[rows],
        )

    def join(self, other: Stream) -> Stream:
        """Append the records of another stream.

        Parameters
        ----------
        other : Stream
            With the same kind, channels and clock; its categories may differ.

        Returns
        -------
        Stream
            Ours, then theirs.
        """
        for name in ("kind", "channels", "clock", "rate"):
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs:
                raise OptionError(f"The streams differ: {name} is {ours!r} here, {theirs!r} there.")
        offsets = np.concatenate([self.offsets, other.offsets[1:] + self.rows])
        times = None
        if self.times is not None and other.times is not None:
            times = np.concatenate([self.times, other.times])
        if self.inner is not None and other.inner is not None:
            return replace(self, offsets=offsets, times=times, inner=self.inner.join(other.inner))
        other = other.recoded(self.categories)
        unmasked = self.observed is None and other.observed is None
        return replace(
            self,
            values=np.concatenate([self.values, other.values]),
            offsets=offsets,
            times=times,
            observed=None if unmasked else np.concatenate([self.mask, other.mask]),
            categories=other.categories,
        )

    def recoded(self, known: Mapping[str, tuple[object, ...]]) -> Stream:
        """Write categories as places in lists that begin with known ones.

        Parameters
        ----------
        known : dict of str to tuple
            The labels that come first, by channel; ours that are not among them follow.

        Returns
        -------
        Stream
            The same labels under other codes.
        """
        if dict(known) == dict(self.categories):
            return self
        values, categories = self.values.copy(), dict(self.categories)
        for name, labels in self.categories.items():
            first = tuple(known.get(name, ()))
            seen = set(first)
            whole = (*first, *(label for label in labels if label not in seen))
            place = {label: code for code, label in enumerate(whole)}
            table = np.array([place[label] for label in labels], values.dtype)
            column, there = self.channels.index(name), self.mask[:, self.channels.index(name)]
            values[there, column] = table[self.values[there, column].astype(np.int64)]
            categories[name] = whole
        return replace(self, values=values, categories=categories)


def flat_rows(starts: Integers, lengths: Integers) -> Array | slice:
    """List the rows of some stretches, one after the other.

    Parameters
    ----------
    starts, lengths : ndarray of int64, shape (stretches,)
        The first row of each, and how many there are.

    Returns
    -------
    ndarray of int64, or slice
        A slice where they make one stretch, so that views stay views.

    Examples
    --------
    >>> flat_rows(np.array([5, 0]), np.array([2, 1]))
    array([5, 6, 0])
    >>> flat_rows(np.array([2, 4]), np.array([2, 1]))
    slice(2, 5, None)
    """
    if not len(starts):
        return slice(0, 0)
    if (starts[1:] == starts[:-1] + lengths[:-1]).all():
        return slice(int(starts[0]), int(starts[-1] + lengths[-1]))
    ends = np.cumsum(lengths)
    return np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)
