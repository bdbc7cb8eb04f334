"""Wide tables: a column for every record, or a row for every record and a column for every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from recurra.data.offsets import offsets_of
from recurra.data.reading.cells import read_column
from recurra.data.reading.moments import Moments
from recurra.data.reading.roles import (
    Extras,
    Targets,
    check_any_observed,
    listed,
    opened_table,
)
from recurra.data.reading.rows import Owners, Rows, arranged, read_moments
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.tables.places import Places
from recurra.data.tables.table import Table
from recurra.errors import DataError, OptionError
from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["from_wide"]


def from_wide(
    frame: object,
    *,
    records: Literal["columns", "rows"],
    time: Any = None,
    id: str | None = None,
    target: Targets = None,
    static: Sequence[str] = (),
    group: str | None = None,
    weight: str | None = None,
    channels: Sequence[str] = ("value",),
    columns: Sequence[str] | None = None,
) -> SequenceDataset:
    """Read a table whose cells are all values of one kind.

    Parameters
    ----------
    frame : DataFrame
        A pandas, polars or pyarrow table.
    records : {"columns", "rows"}
        Whether a record is a column, whose steps are rows, or a row, whose steps are columns.
    time : str or array-like, optional
        When each step was: for ``records="columns"`` the column of times, for ``records="rows"`` an
        array with one for each step. By default the steps are counted.
    id : str, optional
        For ``records="rows"``: the column of identifiers; by default 0, 1, 2 … For
        ``records="columns"`` the columns' names identify.
    target, static, group, weight : optional
        For ``records="rows"``: columns that are no steps, as for `from_long`.
    channels : sequence of str
        For ``records="rows"``: the channels, whose columns stand side by side for each step.
    columns : sequence of str, optional
        The columns of values; by default all that have no other role.

    Returns
    -------
    SequenceDataset
        With a stream ``"values"``. Missing values after the last of a record are no steps of it,
        nor are those before the first where there are times; others are unobserved.

    Raises
    ------
    DataError
        If a column is missing, or a cell is no number or too large; with its record and row.

    Examples
    --------
    >>> frame = pd.DataFrame({"day": [1, 2, 3], "a": [None, 2.0, 3.0], "b": [4.0, 5.0, None]})
    >>> data = from_wide(frame, records="columns", time="day")
    >>> data["a"].streams["values"].times
    array([2, 3])
    >>> frame = pd.DataFrame([[1, 2, 3, 4, "up"], [4, 3, 2, 1, "down"]])
    >>> data = from_wide(frame, records="rows", target=4, channels=["x", "y"])
    >>> data.at(0).streams["values"].values
    array([[1., 2.],
           [3., 4.]])
    """
    table = opened_table(frame)
    extras = Extras.named(target, static, group, weight)
    if records == "rows":
        return _from_rows(table, time, id, listed(channels, "channels"), columns, extras)
    if records != "columns":
        raise OptionError(f"records={records!r}, but it is 'columns' or 'rows'.")
    if id is not None or extras.names or tuple(channels) != ("value",):
        message = "With records='columns', id, target, static, group, weight and channels have no"
        raise OptionError(f"{message} column of their own. Add them with with_targets(...).")
    return _from_columns(table, time, columns)


def _chosen(table: Table, columns: Sequence[str] | None, taken: tuple[str, ...]) -> tuple[str, ...]:
    """List the columns of values."""
    names = tuple(n for n in table.names if n not in taken)
    if columns is not None:
        names = listed(columns, "columns")
    for name in names:
        table.require(name, "value")
    if not names:
        raise OptionError("No column is left to hold values.")
    return names


def _numbers(table: Table, names: tuple[str, ...], ids: pd.Series | None) -> Floats:
    """Read columns of numbers, shape (rows, columns)."""
    values = np.empty((table.rows, len(names)))
    for k, name in enumerate(names):
        places = Places(pd.Series([name] * table.rows) if ids is None else ids)
        column = read_column(table.column(name), name, places)
        if column.categories is not None:
            row = int(np.argmax(~np.isnan(column.values)))
            hint = f"Leave the column out, such as with frame.drop(columns=[{name!r}])."
            message, value = "A number is read here, but there is text", column.show(row)
            raise places.fault(message, "text", name, row, value, hint)
        values[:, k] = column.values
    return values


def _from_columns(table: Table, time: Any, columns: Sequence[str] | None) -> SequenceDataset:
    """Read a table with a column for each record."""
    if time is not None and not isinstance(time, str):
        message = f"With records='columns', time is the name of a column, not {time!r}"
        raise OptionError(f"{message}. Add the stamps to the table first.")
    names = _chosen(table, columns, () if time is None else (time,))
    values = _numbers(table, names, None)
    moments = Moments(None, "step")
    if time is not None:
        table.require(time, "time")
        places = Places(pd.Series(["every record"] * table.rows))
        dates = table.is_date(time)
        moments = read_moments(table.column(time), time, places, dates=dates)
        rows = arranged(Owners(("every record",), np.zeros(table.rows, np.int64), places), moments)
        _check_once(rows, time)
        values, moments = values[rows.order], rows.moments._replace(notes=rows.notes)
    there: Booleans = np.asarray(~np.isnan(values.T))
    ends = _ends(there)
    starts = _starts(there, ends) if time is not None else np.zeros_like(ends)
    inside = (np.arange(len(values)) >= starts[:, None]) & (np.arange(len(values)) < ends[:, None])
    times = None
    if moments.times is not None:
        times = np.broadcast_to(moments.times, inside.shape)[inside]
    stream = _stream(values.T[inside][:, None], ends - starts, ("value",), moments, times)
    notes = (*moments.notes, *check_any_observed(stream, names))
    return SequenceDataset(names, {"values": stream}, notes=notes)


def _from_rows(
    table: Table,
    time: Any,
    id: str | None,
    channels: tuple[str, ...],
    columns: Sequence[str] | None,
    extras: Extras,
) -> SequenceDataset:
    """Read a table with a row for each record."""
    taken = () if id is None else (id,)
    names = _chosen(table, columns, (*taken, *extras.names))
    extras.require(table, ("identifier", taken), ("value", names))
    steps, rest = divmod(len(names), len(channels))
    if rest:
        message = f"{len(names)} columns cannot be parted into {len(channels)} channels"
        raise OptionError(f"{message}. Name the columns of values with columns=[...].")
    owners = Owners.one_each(table, id)
    values = _numbers(table, names, owners.places.ids).reshape(-1, steps, len(channels))
    moments = _header_moments(time, steps)
    there: Booleans = np.asarray(~np.isnan(values).all(axis=2))
    ends = _ends(there)
    starts = _starts(there, ends) if moments.times is not None else np.zeros_like(ends)
    inside = (np.arange(steps) >= starts[:, None]) & (np.arange(steps) < ends[:, None])
    times = None
    if moments.times is not None:
        times = np.broadcast_to(moments.times, inside.shape)[inside]
    stream = _stream(values[inside], ends - starts, channels, moments, times)
    notes = (*moments.notes, *check_any_observed(stream, owners.ids))
    dataset = SequenceDataset(owners.ids, {"values": stream}, notes=notes)
    return extras.attach(dataset, table, arranged(owners, Moments(None, "step")))


def _header_moments(time: Any, steps: int) -> Moments:
    """Read when the columns of a table were."""
    if time is None:
        return Moments(None, "step")
    if isinstance(time, str):
        message = f"With records='rows', time is an array with one for each step, not {time!r}"
        raise OptionError(f"{message}. Use pandas.to_datetime(frame.columns[...]).")
    given = pd.Series(time).reset_index(drop=True)
    if len(given) != steps:
        message = f"There are {steps} steps, but time has {len(given)}"
        raise DataError(message, code="time_count", hint="Give one for each step.")
    moments = read_moments(given, "time", Places(pd.Series(["every record"] * steps)))
    if moments.times is not None and (odd := np.flatnonzero(np.diff(moments.times) <= 0)).size:
        message = "The columns of a wide table are in the order of time, but this one is not later"
        raise DataError(message, code="unsorted_time", row=int(odd[0]) + 1, column="time")
    return moments


def _check_once(rows: Rows, time: str) -> None:
    """Refuse a time that two rows of a wide table have."""
    if rows.count == len(rows.order):
        return
    again = int(np.argmax(np.diff(rows.steps) == 0))
    one, two = int(rows.order[again]), int(rows.order[again + 1])
    message = f"Rows {one} and {two} have the same time"
    hint = f"Keep one, or join them with frame.groupby({time!r}).mean()."
    raise DataError(message, code="duplicate_time", row=two, column=time, hint=hint)


def _ends(there: Booleans) -> Integers:
    """Give the step after the last that is there, shape (records,)."""
    last = there.shape[1] - np.argmax(there[:, ::-1], axis=1)
    return np.where(there.any(axis=1), last, 0)


def _starts(there: Booleans, ends: Integers) -> Integers:
    """Give the first step that is there, shape (records,)."""
    return np.minimum(np.argmax(there, axis=1), ends)


def _stream(
    values: Floats,
    lengths: Integers,
    channels: tuple[str, ...],
    moments: Moments,
    times: Array | None,
) -> Stream:
    """Make the stream."""
    seen = ~np.isnan(values)
    stream = Stream(values, offsets_of(lengths), channels, observed=None if seen.all() else seen)
    return replace(stream, times=times, clock=moments.clock, zone=moments.zone)
