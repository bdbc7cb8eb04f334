"""Tables whose cells are sequences, frames with two index levels, and arrays of lists."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from recurra.data.offsets import offsets_of, place_of
from recurra.data.reading.answers import read_target
from recurra.data.reading.arrays import check_finite
from recurra.data.reading.long import from_long
from recurra.data.reading.moments import Moments
from recurra.data.reading.numbers import numbers_of
from recurra.data.reading.roles import (
    Extras,
    Targets,
    check_any_observed,
    listed,
    opened_table,
)
from recurra.data.reading.rows import Owners, arranged, read_moments
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.sequences.channel_names import channel_names
from recurra.data.tables.places import Places
from recurra.data.tables.table import Table
from recurra.errors import DataError, OptionError, need
from recurra.types import Array, Integers

__all__ = ["from_nested"]

SEQUENCES = (pd.Series, np.ndarray, list, tuple)


def from_nested(
    frame: Any,
    y: Any = None,
    *,
    id: str | None = None,
    channels: Sequence[str] | None = None,
    target: Targets = None,
    static: Sequence[str] = (),
    group: str | None = None,
    weight: str | None = None,
) -> SequenceDataset:
    """Read a panel of sequences as sktime, aeon, polars, Arrow and awkward keep them.

    Parameters
    ----------
    frame : DataFrame, or array of lists
        A table with a row for each record and sequences in its cells (Series, arrays, lists), a
        column for each channel; or a pandas frame with two index levels, the record and the time;
        or an array of lists of Arrow, polars or awkward: (records, steps), or (records, steps,
        channels) with as many channels in each step. Series that have an index of their own give
        the times. For a list of arrays see `from_arrays`, which takes ``layout="nct"``.
    y : array-like, optional
        What is to be learnt, as for `from_arrays`.
    id : str, optional
        The column of identifiers, in a table of sequences; by default 0, 1, 2 …
    channels : sequence of str, optional
        The columns of sequences; by default all that have no other role. For an array of lists,
        what its channels are called.
    target, static, group, weight : optional
        Columns of a table of sequences that hold one value for a record, as for `from_long`.

    Returns
    -------
    SequenceDataset
        With a stream ``"x"``.

    Raises
    ------
    DataError
        If channels of a record differ in length or in their times, a cell is no sequence, or a
        value is no number or too large; with its record and column.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [np.ones(2), np.ones(3)], "b": [np.zeros(2), np.zeros(3)]})
    >>> from_nested(frame, ["up", "down"])
    SequenceDataset(2 records; x: 2 channels, 2 to 3 steps; targets: y)
    """
    if isinstance(frame, list | tuple | np.ndarray):
        message = f"A {type(frame).__name__} is no nested frame"
        raise OptionError(f"{message}. Read it with from_arrays(X, layout='ntc') or 'nct'.")
    extras = Extras.named(target, static, group, weight)
    if isinstance(frame, pd.Series):
        frame = frame.to_frame("x" if frame.name is None else str(frame.name))
    if isinstance(getattr(frame, "index", None), pd.MultiIndex):
        if id is not None or extras.names:
            raise OptionError("For columns with roles, use from_long(frame.reset_index(), ...).")
        dataset = _from_levels(frame, channels)
    elif hasattr(frame, "columns"):
        dataset = _from_cells(opened_table(frame), id, channels, extras)
    else:
        if id is not None or extras.names:
            raise OptionError("An array of lists has no columns: give y instead.")
        dataset = _from_array(frame, channels)
    if y is None:
        return dataset
    answer = read_target(y, dataset.ids, "y", "x", dataset.stream.lengths)
    return dataset.with_targets(y=answer)


def _from_levels(frame: pd.DataFrame, channels: Sequence[str] | None) -> SequenceDataset:
    """Read a frame whose index says the record and the time."""
    if frame.index.nlevels != 2:
        message = f"The index has {frame.index.nlevels} levels, but two are read: record and time"
        raise DataError(message, code="shape", hint="Join levels, or use frame.reset_index().")
    names = [
        str(default if name is None else name)
        for name, default in zip(frame.index.names, ("record", "time"), strict=True)
    ]
    flat = frame.reset_index(names=names)
    dataset = from_long(flat, id=names[0], time=names[1], channels=channels)
    return replace(dataset, streams={"x": dataset.stream})


@dataclass(frozen=True)
class _Sequences:
    """One column of sequences, one after the other."""

    values: Array
    lengths: Integers
    times: pd.Series | None = None


def _from_cells(
    table: Table, id: str | None, channels: Sequence[str] | None, extras: Extras
) -> SequenceDataset:
    """Read a table with a sequence in each cell."""
    taken = () if id is None else (id,)
    names = tuple(n for n in table.names if n not in {*taken, *extras.names})
    if channels is not None:
        names = listed(channels, "channels")
    extras.require(table, ("identifier", taken), ("channel", names))
    if not names:
        raise OptionError("No column is left to be a channel.")
    owners = Owners.one_each(table, id)
    columns = {name: _sequences(table, name, owners) for name in names}
    first = columns[names[0]]
    for name, column in columns.items():
        _check_alike(first, column, names[0], name, owners)
    offsets = offsets_of(first.lengths)
    values = np.concatenate([column.values for column in columns.values()], axis=1)
    if values.shape[1] > len(names):
        names = tuple(
            f"{n}{k}" for n, column in columns.items() for k in range(column.values.shape[1])
        )
    moments = _moments(first, offsets, owners)
    stream, notes = _stream(values, offsets, names, owners, moments)
    dataset = SequenceDataset(owners.ids, {"x": stream}, notes=notes)
    return extras.attach(dataset, table, arranged(owners, Moments(None, "step")))


def _sequences(table: Table, name: str, owners: Owners) -> _Sequences:
    """Read one column of sequences."""
    native = table.frame[name].to_native()
    if isinstance(native, pd.Series) and not isinstance(native.dtype, pd.ArrowDtype):
        return _from_objects(native.tolist(), name, owners)
    if isinstance(native, pd.Series):
        native = native.array.__arrow_array__()  # type: ignore[attr-defined]
    return _from_arrow(native, name, owners)


def _from_objects(cells: list[Any], name: str, owners: Owners) -> _Sequences:
    """Read a column of Series, arrays or lists."""
    parts = []
    for row, cell in enumerate(cells):
        if not isinstance(cell, SEQUENCES):
            raise _no_sequence(name, owners, row, cell)
        part = numbers_of(
            np.asarray(cell) if isinstance(cell, pd.Series) else cell, name, record=owners.ids[row]
        )
        if part.ndim != 1:
            message = f"A cell has shape {part.shape}, but (steps,) is read"
            hint = "Give each channel a column of its own."
            raise owners.places.fault(message, "shape", name, row, hint=hint)
        parts.append(part)
    lengths = np.array([len(part) for part in parts], np.int64)
    times = None
    if all(isinstance(cell, pd.Series) for cell in cells) and not all(map(_counts, cells)):
        times = pd.concat([cell.index.to_series() for cell in cells], ignore_index=True)
    return _Sequences(np.concatenate(parts)[:, None], lengths, times)


def _counts(cell: pd.Series) -> bool:
    """Say whether a series is indexed by 0, 1, 2 …"""
    return bool(cell.index.equals(pd.RangeIndex(len(cell))))


def _no_sequence(name: str, owners: Owners, row: int, cell: object) -> DataError:
    """Blame a cell that is no sequence."""
    missing = cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell))
    message = (
        "A sequence is missing"
        if missing
        else (f"A sequence is read here, but there is a {type(cell).__name__}")
    )
    hint = (
        "Make it an array of no steps."
        if missing
        else (f"If it holds for the whole record, say static=[{name!r}] or target={name!r}.")
    )
    code, value = ("null_sequence", None) if missing else ("no_sequence", cell)
    return owners.places.fault(message, code, name, row, value, hint)


def _from_arrow(column: Any, name: str, owners: Owners) -> _Sequences:
    """Read an Arrow array of lists, or a polars series of them."""
    arrow = need("pyarrow", extra="parquet", purpose="Reading columns of lists")
    compute = need("pyarrow.compute", extra="parquet", purpose="Reading columns of lists")
    column = column.to_arrow() if hasattr(column, "to_arrow") else column
    column = column.combine_chunks() if isinstance(column, arrow.ChunkedArray) else column
    if not _is_list(arrow, column.type):
        raise _no_sequence(name, owners, 0, column[0].as_py())
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
        raise _no_sequence(name, owners, row, None)
    lengths = compute.list_value_length(column).to_numpy(zero_copy_only=False).astype(np.int64)
    cells, width = column.flatten(), 1
    if _is_list(arrow, cells.type):
        widths = compute.list_value_length(cells).to_numpy(zero_copy_only=False)
        odd = np.flatnonzero(widths != widths[0]) if len(widths) else np.array([], np.int64)
        if odd.size:
            row, _ = place_of(offsets_of(lengths), odd[0])
            message = f"A step has {widths[odd[0]]} channels, but the first has {widths[0]}"
            raise owners.places.fault(message, "ragged", name, row)
        width = int(widths[0]) if len(widths) else 1
        cells = cells.flatten()
    if arrow.types.is_nested(cells.type):
        message = f"The lists hold {cells.type}, but (records, steps) or (records, steps, channels)"
        raise DataError(f"{message} of numbers is read", code="shape", column=name)
    values = numbers_of(cells.to_numpy(zero_copy_only=False), name)
    return _Sequences(values.reshape(-1, width), lengths)


def _is_list(arrow: Any, kind: Any) -> bool:
    """Say whether an Arrow type is one of lists."""
    types = arrow.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _check_alike(one: _Sequences, two: _Sequences, first: str, name: str, owners: Owners) -> None:
    """Refuse channels of a record that differ in length or in their times."""
    odd = np.flatnonzero(one.lengths != two.lengths)
    if odd.size:
        row = int(odd[0])
        message = f"The record has {two.lengths[row]} steps here, but {one.lengths[row]} in"
        hint = "Channels on clocks of their own are streams: from_arrays({'a': [...], ...})."
        raise owners.places.fault(f"{message} {first!r}", "ragged", name, row, hint=hint)
    same = (one.times is None) == (two.times is None)
    if same and one.times is not None and two.times is not None:
        other = np.flatnonzero((one.times != two.times).to_numpy())
        same = not other.size
    if not same:
        row = 0
        if one.times is not None and two.times is not None:
            row, _ = place_of(offsets_of(one.lengths), other[0])
        message = f"The record has other times here than in {first!r}"
        hint = "Channels on clocks of their own are streams: from_arrays({'a': [...], ...})."
        raise owners.places.fault(message, "other_times", name, row, hint=hint)


def _moments(sequences: _Sequences, offsets: Integers, owners: Owners) -> Moments:
    """Read the times that series bring as their index."""
    if sequences.times is None:
        return Moments(None, "step")
    whose = np.repeat(np.arange(len(sequences.lengths)), sequences.lengths)
    ids = pd.Series(list(owners.ids), dtype=object).iloc[whose]
    inside = np.arange(len(whose)) - offsets[whose]
    places = Places(ids, inside)
    moments = read_moments(sequences.times, "index", places)
    if moments.times is not None:
        back = np.flatnonzero((np.diff(moments.times) < 0) & (np.diff(whose) == 0))
        if back.size:
            message, hint = (
                "A step is earlier than the one before",
                "Sort each series by its index.",
            )
            raise places.fault(message, "unsorted_time", "index", int(back[0]) + 1, hint=hint)
    return moments


def _from_array(frame: Any, channels: Sequence[str] | None) -> SequenceDataset:
    """Read an array of lists."""
    if type(frame).__module__.split(".")[0] == "awkward":
        frame = sys.modules["awkward"].to_arrow(frame, extensionarray=False)
    if not (hasattr(frame, "to_arrow") or hasattr(frame, "type")):
        message = f"A {type(frame).__name__} came, but a table or an array of lists is read"
        raise DataError(message, code="not_a_table", hint="See from_arrays for other arrays.")
    if not len(frame):
        raise DataError("There are no records", code="empty", hint="Give at least one.")
    numbers = np.arange(len(frame))
    owners = Owners(tuple(range(len(frame))), numbers, Places(pd.Series(numbers)))
    read = _from_arrow(frame, "x", owners)
    width = read.values.shape[1]
    names = channel_names(width) if channels is None else listed(channels, "channels")
    if len(names) != width:
        raise OptionError(f"There are {width} channels, but channels={list(names)!r}.")
    offsets = offsets_of(read.lengths)
    stream, notes = _stream(read.values, offsets, names, owners, Moments(None, "step"))
    return SequenceDataset(owners.ids, {"x": stream}, notes=notes)


def _stream(
    values: Array, offsets: Integers, names: tuple[str, ...], owners: Owners, moments: Moments
) -> tuple[Stream, tuple[str, ...]]:
    """Make the stream."""
    check_finite(values, offsets, names, owners.ids)
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(0, np.bool_)
    stream = Stream(
        values,
        offsets,
        names,
        observed=~missing if missing.any() else None,
        times=moments.times,
        clock=moments.clock,
        zone=moments.zone,
    )
    return stream, (*moments.notes, *check_any_observed(stream, owners.ids))
