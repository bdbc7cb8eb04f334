"""Lists of arrays, one array with NaN, or a dict of streams, read into a `SequenceDataset`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from recurra.data.offsets import offsets_of, place_of
from recurra.data.reading.about import read_groups, read_ids, read_weights
from recurra.data.reading.answers import TargetLevel, read_target
from recurra.data.reading.moments import Moments
from recurra.data.reading.numbers import numbers_of
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.sequences.channel_names import channel_names
from recurra.data.sequences.stream import LARGEST_VALUE
from recurra.data.tables.notes import also_in, counted, tell
from recurra.errors import DataError, OptionError, near
from recurra.types import Array, Booleans, Integers

__all__ = ["from_arrays"]

Layout = Literal["ntc", "nct"]


def from_arrays(
    X: Any,
    y: Any = None,
    *,
    times: Any = None,
    observed: Any = None,
    static: Any = None,
    ids: Sequence[object] | None = None,
    channels: Any = None,
    weights: Any = None,
    groups: Any = None,
    layout: Layout = "ntc",
    target_for: TargetLevel | None = None,
) -> SequenceDataset:
    """Read arrays.

    Parameters
    ----------
    X : list of array-like, ndarray, or dict of str to these
        A list of records, each of shape (steps,) or (steps, channels), of any lengths; or one array
        of shape (records, steps, channels), where steps at the end that are NaN throughout are
        padding; or several streams, by name, with None for a record that has no such stream. NaN is
        a missing value.
    y : array-like or dict of str to array-like, optional
        One label or number for each record, several (records, outputs), or a list for each record
        with one for each step; or several targets, by name. None and NaN are unknown.
    times : list of array-like, or dict, optional
        When each step was, as `X` is shaped: numbers; NumPy's datetime64, in UTC; pandas'
        timestamps; or text in ISO 8601.
    observed : list of array-like of bool, or dict, optional
        Where there is a value; by default where it is not NaN.
    static : array-like, shape (records, covariates), optional
        What holds for a whole record; NaN where unknown.
    ids : sequence, optional
        The identifiers; by default 0, 1, 2 …
    channels : sequence of str, or dict of these, optional
        What the channels are called; by default ``x0``, ``x1`` …
    weights : array-like, shape (records,), optional
        How much each record counts.
    groups : array-like, shape (records,), optional
        Which records belong together.
    layout : {"ntc", "nct"}
        Whether channels come last or in the middle of each record; never guessed.
    target_for : {"record", "step", "labels"}, optional
        What several values of `y` in a row are: outputs of the record, one for each step, or a
        sequence of labels of any length (a transcript). By default what can only be one of these,
        as `recurra.data.reading.answers.read_target` says; numbers that may be two are refused.

    Returns
    -------
    SequenceDataset
        With a stream ``"x"``, or the streams of the dict.

    Raises
    ------
    DataError
        If a record is ragged, infinite, no number, or does not go with the others.

    Examples
    --------
    >>> data = from_arrays([[1.0, 2.0], [3.0, float("nan"), 5.0]], ["no", "yes"])
    >>> data
    SequenceDataset(2 records; x: 1 channel, 2 to 3 steps, 20.0 % missing; targets: y)
    """
    if layout not in ("ntc", "nct"):
        raise OptionError(f"layout={layout!r}, but it is 'ntc' or 'nct'.")
    given = X if isinstance(X, Mapping) else {"x": X}
    if not given:
        raise DataError("There are no streams", code="empty", hint="Give at least one record.")
    names = None if ids is None else read_ids(ids)
    sides = {"times": times, "observed": observed, "channels": channels}
    several = isinstance(X, Mapping)
    if several:
        _check_sides(sides, X)
    streams, notes = {}, []
    for name, records in given.items():
        beside = {k: v.get(name) if several and v is not None else v for k, v in sides.items()}
        came = _Given(str(name), records, **beside, ids=names, layout=layout, several=several)
        streams[str(name)], told = came.stream()
        notes += told
    first, stream = next(iter(streams.items()))
    if names is None:
        names = tuple(range(len(stream)))
    answers = {} if y is None else y if isinstance(y, Mapping) else {"y": y}
    targets = {
        str(name): read_target(each, names, str(name), first, stream.lengths, target_for)
        for name, each in answers.items()
    }
    return SequenceDataset(
        names,
        streams,
        None if static is None else _static(static, names),
        targets,
        None if weights is None else read_weights(weights, names),
        None if groups is None else read_groups(groups, names),
        tuple(notes),
    )


def _check_sides(sides: Mapping[str, Any], streams: Mapping[Any, Any]) -> None:
    """Refuse what goes with several streams and does not say with which."""
    for side, given in sides.items():
        if given is None:
            continue
        if not isinstance(given, Mapping):
            raise OptionError(f"With several streams, {side} is a dict: {{'stream': [...]}}.")
        for name in given:
            if name not in streams:
                message = f"{side} names no such stream as {name!r}"
                raise OptionError(f"{message}. {near(str(name), streams)}")


@dataclass(frozen=True)
class _Given:
    """One stream as it came."""

    name: str
    records: Any
    times: Any
    observed: Any
    channels: Sequence[str] | None
    ids: Sequence[object] | None
    layout: Layout
    several: bool

    def stream(self) -> tuple[Stream, list[str]]:
        """Read it, and say what was changed."""
        rounded: list[int] = []
        if hasattr(self.records, "columns") or hasattr(self.records, "column_names"):
            message = "A table came, but arrays are read here"
            hint = "Read it with from_long, from_wide or from_events, which say what a row is."
            raise DataError(message, code="shape", hint=hint)
        parts = self._parts(rounded)
        lengths = np.array([len(part) for part in parts], np.int64)
        offsets, values = offsets_of(lengths), np.concatenate(parts)
        names = self._names(values.shape[1])
        seen = self._mask(values, offsets)
        self._check_finite(values, offsets, names)
        moments = Moments(None, "step")
        if self.times is not None:
            from recurra.data.reading.times import read_times  # by pandas, which arrays do without

            moments = read_times(self.times, lengths, self._ids(len(parts)), "times")
        notes = list(moments.notes)
        if rounded:
            said = counted(sum(rounded), "integer", "integers")
            notes.append(tell(f"Rounded, being past 2**53: {said} in {self.name!r}."))
        stream = Stream(
            values,
            offsets,
            names,
            observed=None if seen.all() else seen,
            times=moments.times,
            clock=moments.clock,
            zone=moments.zone,
        )
        return stream, notes

    def _parts(self, rounded: list[int]) -> list[Array]:
        """Read the values of each record, all as wide."""
        count = len(self.records) if hasattr(self.records, "__len__") else 0
        if count and self.ids is not None and len(self.ids) != count:
            message = f"There are {count} records, but {len(self.ids)} ids"
            raise DataError(message, code="record_count", hint="Give one for each record.")
        padded = isinstance(self.records, np.ndarray) and self.records.dtype != object
        padded = padded or hasattr(self.records, "detach")
        parts = self._from_one(rounded) if padded else self._from_list(rounded)
        wide = next((part.shape[1] for part in parts if len(part)), parts[0].shape[1])
        parts = [part if part.shape[1] or len(part) else part.reshape(0, wide) for part in parts]
        self._check_widths(parts)
        return parts

    def _id(self, place: int) -> object:
        return place if self.ids is None else self.ids[place]

    def _ids(self, count: int) -> tuple[object, ...]:
        return tuple(map(self._id, range(count)))

    def _from_one(self, rounded: list[int]) -> list[Array]:
        """Part a padded array into records."""
        whole = numbers_of(self.records, self.name, rounded=rounded)
        if whole.ndim != 3:
            hint = "Use X[:, :, None] for one channel, X[None] for one record."
            if whole.ndim == 1:
                hint = "Reshape your data: X[None, :, None] is one record of one channel."
            message = f"X has shape {whole.shape}, but (records, steps, channels) is read"
            raise DataError(message, code="shape", hint=hint)
        if not len(whole):
            raise DataError("There are no records", code="empty", hint="Give at least one.")
        if self.layout == "nct":
            whole = whole.transpose(0, 2, 1)
        there: Booleans = np.ones(whole.shape[:2], bool)
        if whole.dtype.kind == "f":
            there = np.asarray(~np.isnan(whole).all(2))
        steps = whole.shape[1]
        if not steps:
            return [*whole]
        ends = np.where(there.any(1), steps - np.argmax(there[:, ::-1], 1), 0)
        return [record[:end] for record, end in zip(whole, ends, strict=True)]

    def _from_list(self, rounded: list[int]) -> list[Array]:
        """Read records of any lengths."""
        if isinstance(self.records, str | bytes) or not hasattr(self.records, "__len__"):
            came = type(self.records).__name__
            raise DataError(f"A list of arrays is read as X, but a {came} came", code="shape")
        if not len(self.records):
            raise DataError("There are no records", code="empty", hint="Give at least one.")
        parts = []
        for place, record in enumerate(self.records):
            if record is None and self.several:
                parts.append(np.zeros((0, 0)))
                continue
            part = numbers_of(record, self.name, record=self._id(place), rounded=rounded)
            if part.ndim not in (1, 2):
                message = f"A record has shape {part.shape}, but (steps, channels) is read"
                raise DataError(message, code="shape", record=self._id(place))
            part = part[:, None] if part.ndim == 1 and len(part) else part
            part = part.reshape(0, 0) if part.ndim == 1 else part
            parts.append(part.T if self.layout == "nct" and len(part) else part)
        return parts

    def _check_widths(self, parts: list[Array]) -> None:
        """Refuse records with different numbers of channels."""
        wide = parts[0].shape[1]
        for place, part in enumerate(parts):
            if part.shape[1] != wide:
                raise DataError(
                    f"The record has {part.shape[1]} channels, but the first has {wide}",
                    code="channel_count",
                    record=self._id(place),
                    hint="Give (steps, channels) for each, or layout='nct' if channels come first.",
                )

    def _names(self, count: int) -> tuple[str, ...]:
        """Name the channels."""
        if self.channels is None:
            return channel_names(count)
        listed = not isinstance(self.channels, str | bytes) and hasattr(self.channels, "__iter__")
        names = tuple(map(str, self.channels)) if listed else ()
        if len(names) != count or len(set(names)) != count:
            message = f"There are {count} channels, but channels={self.channels!r}"
            raise OptionError(f"{message}. Name each once, in a list.")
        return names

    def _mask(self, values: Array, offsets: Integers) -> Booleans:
        """Find where there are values."""
        seen = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
        if self.observed is None:
            return seen
        if not hasattr(self.observed, "__len__") or len(self.observed) != len(offsets) - 1:
            message = f"There are {len(offsets) - 1} records, but observed is for others"
            hint = "Give an array of booleans for each record, in a list."
            raise DataError(message, code="observed", hint=hint)
        given = [_flags(each) for each in self.observed]
        for place, each in enumerate(given):
            want = int(offsets[place + 1] - offsets[place])
            if each.shape not in ((want,), (want, values.shape[1])) or each.dtype != bool:
                message = f"observed has shape {each.shape} and type {each.dtype}"
                shape = (want, values.shape[1])
                hint = f"Give booleans of shape {shape}."
                raise DataError(message, code="observed", record=self._id(place), hint=hint)
        wide = [np.broadcast_to(e.reshape(len(e), -1), (len(e), values.shape[1])) for e in given]
        return seen & np.concatenate(wide)

    def _check_finite(self, values: Array, offsets: Integers, names: tuple[str, ...]) -> None:
        """Refuse infinities, and numbers that single precision cannot carry."""
        check_finite(values, offsets, names, self._ids(len(offsets) - 1))


def _flags(given: Any) -> Array:
    """Make an array of one record's mask, of objects if it is ragged."""
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    try:
        return np.asarray(given)
    except ValueError:
        return np.zeros(0, object)


def check_finite(
    values: Array, offsets: Integers, channels: tuple[str, ...], ids: tuple[object, ...]
) -> None:
    """Refuse infinities, and numbers that single precision cannot carry.

    Parameters
    ----------
    values : ndarray, shape (steps, channels)
        The numbers.
    offsets : ndarray of int64, shape (records + 1,)
        Where each record starts.
    channels, ids : tuple
        What columns and records are called.
    """
    if values.dtype.kind != "f":
        return
    with np.errstate(invalid="ignore"):
        large = np.abs(values) > LARGEST_VALUE
    if not large.any():
        return
    row, column = (int(k) for k in np.argwhere(large)[0])
    record, step = place_of(offsets, row)
    value = float(values[row, column])
    infinite = np.isinf(value)
    message = "A value is infinite" if infinite else f"A value is past {LARGEST_VALUE:g}"
    more = also_in(int(large.sum()))
    raise DataError(
        message + more,
        code="infinite" if infinite else "overflow_float32",
        record=ids[record],
        row=step,
        column=channels[column],
        value=value,
        hint="Correct it, or make it NaN where nothing was observed.",
    )


def _static(static: Any, ids: tuple[object, ...]) -> Stream:
    """Read static covariates."""
    values = numbers_of(static, "static").astype(np.float64)
    if values.ndim != 2 or len(values) != len(ids):
        message = f"static has shape {values.shape}, but ({len(ids)}, covariates) is read"
        raise DataError(message, code="shape", hint="Give a row for each record.")
    names = tuple(f"static{k}" for k in range(values.shape[1]))
    offsets = np.arange(len(ids) + 1)
    check_finite(values, offsets, names, ids)
    return Stream(values, offsets, names, observed=~np.isnan(values))
